package casenet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
)

func valid(t testing.TB) *Config {
	t.Helper()
	c := Factory{}.DefaultConfig().(*Config)
	c.URL, c.TokenFile = "https://casenet.example", keyFile(t, "token")
	c.Webhook.KeyFiles = []string{keyFile(t, vectorKey)}
	return c
}

func TestConfig_EveryFindingAtOnce(t *testing.T) {
	c := valid(t)
	require.Empty(t, c.Check())
	c.URL, c.TokenFile, c.Bounds.Request, c.Bounds.Margin = "ftp://x", "", 0, -time.Second
	c.Webhook.KeyFiles = []string{keyFile(t, vectorKey), keyFile(t, "whsec_short"), "/does/not/exist"}
	paths := map[string]string{}
	for _, f := range c.Check() {
		paths[f.Path] = f.Code
		require.NotEmpty(t, f.Next, f.Path)
		require.NotContains(t, f.String(), "whsec_short")
	}
	require.Equal(t, map[string]string{
		"url": "url", "tokenFile": "missing", "bounds.request": "out-of-range", "bounds.margin": "out-of-range",
		"webhook.keyFiles[1]": "webhook-key", "webhook.keyFiles[2]": "webhook-key",
	}, paths)
}

func TestConfig_IsReadFromYAMLWithItsDefaults(t *testing.T) {
	c := Factory{}.DefaultConfig()
	require.NoError(t, yaml.Unmarshal([]byte("url: https://x.example\ntokenFile: t\nbounds: {request: 5s}\nwebhook: {keyFiles: [a, b]}\n"), c))
	got := c.(*Config)
	require.Equal(t, "https://x.example", got.URL)
	require.Equal(t, 5*time.Second, got.Bounds.Request)
	require.Equal(t, time.Minute, got.Bounds.Processing)
	require.Equal(t, []string{"a", "b"}, got.Webhook.KeyFiles)
}

func TestFactory_SaysWhatThePlatformIs(t *testing.T) {
	require.Equal(t, "casenet", Factory{}.Type())
	s, err := Factory{}.New("iiz", valid(t))
	require.NoError(t, err)
	require.Equal(t, adapters.ModeA, s.Abilities.Mode)
	require.True(t, s.Abilities.Shared)
	require.NotNil(t, s.Webhook)
	require.Nil(t, s.Finder)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}

func TestFactory_NoKeysNoWebhook(t *testing.T) {
	c := valid(t)
	c.Webhook.KeyFiles = nil
	s, err := Factory{}.New("iiz", c)
	require.NoError(t, err)
	require.Nil(t, s.Webhook)
	require.NoError(t, s.Close())
}

func TestFactory_StopsForAConfigurationThatCannotBeRight(t *testing.T) {
	_, err := Factory{}.New("iiz", "not a configuration")
	require.Equal(t, fault.Stop, fault.KindOf(err))
	_, err = Factory{}.New("iiz", &Config{})
	require.Equal(t, fault.Stop, fault.KindOf(err))
}
