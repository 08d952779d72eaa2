package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// paperConfig is an adapter's part with everything that such a part may hold.
type paperConfig struct {
	access  `yaml:",inline"`
	Keys    []string        `yaml:"keyFiles"`
	Signers []signer        `yaml:"signers"`
	Bounds  adapters.Bounds `yaml:"bounds"`
	Extra   *signer         `yaml:"extra"`
}

type access struct {
	URL   string `yaml:"url"`
	Token string `yaml:"tokenFile"`
}

type signer struct {
	Name        string `yaml:"name"`
	Certificate string `yaml:"certFile"`
}

// Check wants an address and a token that is there.
func (c *paperConfig) Check() fault.Findings {
	var fs fault.Findings
	if c.URL == "" {
		fs.Add("url", "missing", "the address is missing", "set it")
	}
	if _, err := os.Stat(c.Token); err != nil {
		fs.Add("tokenFile", "file", "the file cannot be read", "correct the name")
	}
	return fs
}

type paper struct{}

func (paper) Type() string { return "paper" }
func (paper) DefaultConfig() any {
	return &paperConfig{Bounds: adapters.Bounds{Send: time.Second, Request: 2 * time.Second}}
}
func (paper) New(handover.SystemID, any) (adapters.System, error) { return adapters.System{}, nil }

// stone has no settings and nothing to check.
type stone struct{}

func (stone) Type() string                                        { return "stone" }
func (stone) DefaultConfig() any                                  { return &struct{}{} }
func (stone) New(handover.SystemID, any) (adapters.System, error) { return adapters.System{}, nil }

func factories() []adapters.Factory { return []adapters.Factory{paper{}, stone{}} }

func TestEverySettingIsRead(t *testing.T) {
	c, err := config.Load("testdata/good.yaml", factories())
	require.NoError(t, err)
	part := c.Systems["paper"].Adapter
	c.Systems["paper"].Adapter, c.Systems["stone"].Adapter = nil, nil
	for _, s := range c.Systems {
		s.Config = yaml.Node{}
	}
	file := func(name string) string { return filepath.Join("testdata", "secrets", name) }
	require.Equal(t, config.Config{
		Listen: "0.0.0.0:8480", Admin: "[::1]:9000", Grace: time.Minute, Data: "/var/lib/einmal", Keys: file("einmal.key"),
		Kafka: config.Kafka{
			Brokers: []string{"kafka-1.example:9093", "kafka-2.example:9093"}, Version: "3.6.0", Prefix: "canton", Partitions: 24, Replication: 3,
			MinInSync: 2, Session: 20 * time.Second,
			TLS:  &config.TLS{CA: file("paper.token"), Certificate: file("paper.token"), Key: file("old.key"), ServerName: "kafka.example"},
			SASL: &config.SASL{Mechanism: "SCRAM-SHA-512", User: "einmal", PasswordFile: file("paper.token")},
		},
		Redis: config.Redis{
			Address: "redis.example:6379", Username: "einmal", PasswordFile: file("paper.token"), Database: 3, Keep: 48 * time.Hour,
			TLS: &config.TLS{CA: file("paper.token")},
		},
		Telemetry: config.Telemetry{Service: "einmal-test", OTLP: config.OTLP{Endpoint: "https://collector.example:4318", Insecure: true}},
		Log:       config.Log{Level: "debug", Format: "text"},
		Reconcile: config.Reconcile{Every: 12 * time.Hour},
		Receipts: config.Receipts{
			Within: time.Hour, Contact: "Betrieb einmal, 041 000 00 00",
			Senders: map[handover.OrganisationID]*config.Sender{"sd-kriens": {PasswordFile: file("sd-kriens.password")}},
		},
		Profile:   "testdata/jurisdiction",
		Directory: filepath.Join("testdata", "directory.yaml"),
		Systems: map[handover.SystemID]*config.System{
			"paper": {Type: "paper", Poll: 5 * time.Second, Page: 7, Parallel: 3, Test: true, Codes: file("paper.token")},
			"stone": {Type: "stone", Read: true, Write: true, Poll: 2 * time.Second, Page: 200, Parallel: 8},
		},
	}, c)
	require.Equal(t, &paperConfig{
		access:  access{URL: "https://paper.example", Token: file("paper.token")},
		Keys:    []string{file("paper.token"), file("old.key")},
		Signers: []signer{{Name: "first", Certificate: file("old.key")}},
		Bounds:  adapters.Bounds{Send: 4 * time.Second, Request: 2 * time.Second},
	}, part, "the adapter's own defaults stay where the file says nothing")
}

func TestWhatIsNotSaidHasItsDefault(t *testing.T) {
	c, err := config.Load("testdata/least.yaml", factories())
	require.NoError(t, err)
	want := config.Default()
	want.Data, want.Keys = "testdata/einmal-data", "testdata/einmal-data/einmal.key"
	want.Profile, want.Directory, want.Systems = "lucerne", "testdata/directory.yaml", c.Systems
	require.Equal(t, want, c)
	require.Equal(t, "127.0.0.1:8481", c.Admin, "operators only, unless the file says otherwise")
	require.Empty(t, c.Listen)
}

// least is the shortest configuration, for a file in any folder.
func least(t *testing.T) string {
	t.Helper()
	directory, err := filepath.Abs("testdata/directory.yaml")
	require.NoError(t, err)
	return strings.Replace(read(t, "testdata/least.yaml"), "directory.yaml", directory, 1)
}

func TestASettingWithoutValueHasItsDefault(t *testing.T) {
	text := "admin:\ngrace: ~\nkafka:\nkeys:\n" + least(t)
	c, err := config.Parse("einmal.yaml", []byte(text), factories())
	require.NoError(t, err)
	want := config.Default()
	require.Equal(t, []any{want.Admin, want.Grace, want.Kafka}, []any{c.Admin, c.Grace, c.Kafka})
}

func TestRelativePathsBelongToTheFolderOfTheFile(t *testing.T) {
	text := "data: data\nkeys: ../keys/einmal.key\n" + least(t)
	for file, want := range map[string][2]string{
		"einmal.yaml":             {"data", "../keys/einmal.key"},
		"/etc/einmal/einmal.yaml": {"/etc/einmal/data", "/etc/keys/einmal.key"},
		"conf/einmal.yaml":        {"conf/data", "keys/einmal.key"},
	} {
		c, err := config.Parse(file, []byte(text), factories())
		require.NoError(t, err)
		require.Equal(t, want, [2]string{c.Data, c.Keys}, file)
	}
	c, err := config.Parse("conf/einmal.yaml", []byte("data: /var/lib/einmal\n"+least(t)), factories())
	require.NoError(t, err)
	require.Equal(t, "/var/lib/einmal/einmal.key", c.Keys, "the key file lies in the data folder unless the file says otherwise")
}

func TestAFileThatCannotBeReadIsSaidWithoutItsReader(t *testing.T) {
	for file, cause := range map[string]string{"testdata/none.yaml": "no such file or directory", "testdata": "is a directory"} {
		_, err := config.Load(file, factories())
		require.Equal(t, fault.Stop, fault.KindOf(err))
		require.Equal(t, "unreadable", fault.CodeOf(err))
		require.ErrorContains(t, err, cause)
	}
}

// TestEveryMistakeIsFoundWithItsPlaceAndTheNextStep reads the files of testdata/mistakes. Each is named after its mistake; what is to be
// found stands beside it.
func TestEveryMistakeIsFoundWithItsPlaceAndTheNextStep(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 30)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			findings := mistakes(t, file, []byte(read(t, file)))
			for _, f := range findings {
				require.NotEmpty(t, f.Code)
				require.NotEmpty(t, f.Text)
				require.NotEmpty(t, f.Next)
				require.Positive(t, f.Line)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(findings.Error()+"\n"), 0o644))
			}
			require.Equal(t, read(t, golden), findings.Error()+"\n")
		})
	}
}

func TestFindingsAreTheSameEveryTime(t *testing.T) {
	for range 50 { // maps are walked in another order each time
		for _, file := range []string{"everything-at-once", "type-wrong", "id-malformed", "system-of-unknown-type"} {
			path := "testdata/mistakes/" + file + ".yaml"
			require.Equal(t, read(t, "testdata/mistakes/"+file+".golden"), mistakes(t, path, []byte(read(t, path))).Error()+"\n")
		}
	}
}

// mistakes parses and returns the findings, of which there must be some.
func mistakes(t testing.TB, file string, text []byte) fault.Findings {
	t.Helper()
	_, err := config.Parse(file, text, factories())
	require.Equal(t, fault.Stop, fault.KindOf(err))
	var findings fault.Findings
	require.ErrorAs(t, err, &findings)
	require.NotEmpty(t, findings)
	return findings
}

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

func TestNoFindingRepeatsAValue(t *testing.T) {
	const secret = "hunter2-Tr0ub4dor"
	var root yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "testdata/good.yaml")), &root))
	count := 0
	values(&root, func(n *yaml.Node) {
		before := *n
		for _, wrong := range []yaml.Node{
			{Kind: yaml.ScalarNode, Value: secret},
			{Kind: yaml.SequenceNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: secret}}},
			{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "x"}, {Kind: yaml.ScalarNode, Value: secret}}},
		} {
			*n = wrong
			text, err := yaml.Marshal(&root)
			require.NoError(t, err)
			if _, err = config.Parse("testdata/good.yaml", text, factories()); err != nil {
				require.NotContains(t, err.Error(), secret)
				count++
			}
		}
		*n = before
	})
	require.Greater(t, count, 100)
}

// values calls f for every value of a document.
func values(n *yaml.Node, f func(*yaml.Node)) {
	for i, c := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			f(c)
			values(c, f)
		}
	}
}

func TestTextThatIsNoYAMLIsNotRepeatedEither(t *testing.T) {
	for _, text := range []string{"password: 'hunter2", "a: b: hunter2", "%hunter2", "*hunter2", "&hunter2 *hunter2", "!hunter2 x", "? [hunter2", "hunter2: \x01"} {
		require.NotContains(t, mistakes(t, "einmal.yaml", []byte(text)).Error(), "hunter2", text)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	require.NoError(f, err)
	for _, file := range append(files, "testdata/good.yaml", "testdata/least.yaml") {
		f.Add([]byte(read(f, file)))
	}
	f.Add([]byte("a: &a [*a]\nsystems: *a"))
	f.Add([]byte("systems: &s {x: {config: *s}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse("testdata/einmal.yaml", text, factories())
		if err == nil {
			require.NotEmpty(t, c.Profile)
			require.NotEmpty(t, c.Directory)
			require.NotEmpty(t, c.Systems)
			return
		}
		require.Equal(t, fault.Stop, fault.KindOf(err))
		var findings fault.Findings
		require.ErrorAs(t, err, &findings)
		require.NotEmpty(t, findings)
	})
}
