package main_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// evidence is everything that the eleven checks look at: what the native systems have on disk, what einmal has written, what it says now, and how its processes are. The
// checks read it with their own eyes and share no code with what decides in the product.
type evidence struct {
	modes      map[handover.SystemID]string
	journals   clerks.Journals
	proof      clerks.Proof
	accepted   []accepted
	ledger     []entry
	waiting    map[string][]waits // by gateway
	lags       map[string]int64   // by who says so
	canaries   []string
	outside    map[string]string // text by where it stands
	before     map[string]vitals
	after      map[string]vitals
	reconciled reconcile.Report
}

// accepted is a message on the bus.
type accepted struct {
	partition int32
	offset    int64
	id        handover.MessageID
	of        handover.CaseID
}

// target is a dossier or a platform; empty: the gate.
type target struct {
	System       handover.SystemID
	Organisation handover.OrganisationID
}

// entry is a record of the ledger, as the checks read it.
type entry struct {
	partition int32
	offset    int64
	at        time.Time

	Kind    string
	Case    handover.CaseID
	Message handover.MessageID
	To      target
	Ref     native.Reference
	Attempt int
	Nonce   string
	Native  native.RecordID

	Admission *struct {
		Number uint64
		Place  struct{ Offset int64 }
		To     []target
	}
	Parking *struct {
		At     time.Time
		Held   bool
		Reason struct{ Code, Text string }
	}
	Decision *struct {
		Parking              int64
		Verdict, Person, Why string
	}
}

// vitals are how a process is.
type vitals struct {
	goroutines, files int
	resident          int64 // bytes
	messages          int   // that it knows, and must remember
}

func (e evidence) entries() (n int) {
	for _, j := range e.journals {
		n += len(j)
	}
	return n
}

// gauge reads one figure of the metrics.
func gauge(metrics, name string) int64 {
	m := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (-?[0-9.e+]+)$`).FindStringSubmatch(metrics)
	if m == nil {
		return -1
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return -1
	}
	return int64(n)
}

// vitals looks at every gateway.
func (f *fleet) vitals() map[string]vitals {
	f.t.Helper()
	all := map[string]vitals{}
	for _, m := range f.members {
		var metrics string
		require.NoError(f.t, m.ask("/metrics", &metrics))
		v := vitals{goroutines: int(gauge(metrics, "go_goroutines")), resident: gauge(metrics, "process_resident_memory_bytes"), files: int(gauge(metrics, "process_open_fds"))}
		var st figures
		require.NoError(f.t, m.ask("/status", &st))
		v.messages = st.Messages
		all[m.name] = v
	}
	return all
}

// settled looks how the gateways are when they have begun: they take their partitions up after they are ready, and whoever is compared with the moment before has grown by that.
func (f *fleet) settled() map[string]vitals {
	f.t.Helper()
	total := func(all map[string]vitals) (n int) {
		for _, v := range all {
			n += v.goroutines
		}
		return n
	}
	was := f.vitals()
	for calm, limit := 0, time.Now().Add(patience); calm < 3 && time.Now().Before(limit); {
		<-time.After(time.Second)
		now := f.vitals()
		if calm++; total(now) > total(was) {
			calm = 0
		}
		was = now
	}
	return was
}

// rest looks how the gateways are. Connections that nobody uses any more are closed after a minute and a half (net/http): so long one that has more than before may take to have less again.
func (f *fleet) rest(e *evidence) {
	f.t.Helper()
	limit := time.Now().Add(2 * time.Minute)
	for e.after = f.vitals(); len(e.grown()) > 0 && time.Now().Before(limit); e.after = f.vitals() {
		<-time.After(time.Second)
	}
}

// quiet waits until nothing is on its way any more: nothing open at any gateway, and the bus done to its end.
func (f *fleet) quiet() map[string]int64 {
	f.t.Helper()
	var lags map[string]int64
	still := func() bool {
		lags = f.lags()
		for _, n := range lags {
			if n != 0 {
				return false
			}
		}
		return true
	}
	if !still() {
		limit := time.After(patience)
		for pulse := time.NewTicker(100 * time.Millisecond); !still(); {
			select {
			case <-pulse.C:
				continue
			case <-limit: // check 7 says what is left
			}
			break
		}
	}
	return lags
}

// lags says how much is not done, by the brokers and by each gateway. What cannot be learnt counts as not done.
func (f *fleet) lags() map[string]int64 {
	all := map[string]int64{}
	for _, m := range f.members {
		var metrics string
		if m.ask("/metrics", &metrics) != nil || m.ask("/readyz", nil) != nil {
			all[m.name+" is ready"] = -1
			continue
		}
		all[m.name+" open"] = gauge(metrics, "einmal_open")
		for _, line := range regexp.MustCompile(`(?m)^einmal_lag\{.*$`).FindAllString(metrics, -1) {
			if n := gauge(line, "einmal_lag"); n != -1 { // -1: another gateway has that partition now
				all[m.name+" "+line[:strings.LastIndex(line, " ")]] += n
			}
		}
	}
	for partition, n := range f.committed() {
		all["brokers: "+partition] = n
	}
	return all
}

// committed returns how far the groups are behind the end of the bus, as the brokers see it.
func (f *fleet) committed() map[string]int64 {
	behind := map[string]int64{}
	client, err := sarama.NewClient([]string{f.broker()}, sarama.NewConfig())
	if err != nil {
		return map[string]int64{"away": -1}
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return map[string]int64{"away": -1}
	}
	defer func() { _ = admin.Close() }() // closes the client
	topic := f.prefix + ".handover"
	partitions, _ := client.Partitions(topic)
	groups, _ := admin.ListConsumerGroups()
	read := 0
	for group := range groups {
		if !strings.HasPrefix(group, f.prefix) {
			continue
		}
		offsets, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: partitions})
		if err != nil {
			return map[string]int64{group: -1}
		}
		for _, p := range partitions {
			end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
			done := offsets.GetBlock(topic, p)
			if err != nil || done == nil {
				return map[string]int64{group: -1}
			}
			behind[group+" "+strconv.Itoa(int(p))] = end - max(done.Offset, 0)
			read++
		}
	}
	if read == 0 {
		behind["no group"] = -1
	}
	return behind
}

func (f *fleet) broker() string {
	if f.kafka == nil {
		return f.kafkaAt
	}
	return f.kafka.target
}

// topic returns everything in a topic.
func (f *fleet) topic(name string) (all []*sarama.ConsumerMessage) {
	t := f.t
	t.Helper()
	settings := sarama.NewConfig()
	settings.Consumer.MaxWaitTime = 20 * time.Millisecond
	client, err := sarama.NewClient([]string{f.broker()}, settings)
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Close()) }()
	consumer, err := sarama.NewConsumerFromClient(client)
	require.NoError(t, err)
	partitions, err := client.Partitions(name)
	require.NoError(t, err)
	for _, p := range partitions {
		oldest, err := client.GetOffset(name, p, sarama.OffsetOldest)
		require.NoError(t, err)
		end, err := client.GetOffset(name, p, sarama.OffsetNewest)
		require.NoError(t, err)
		if oldest == end {
			continue
		}
		part, err := consumer.ConsumePartition(name, p, sarama.OffsetOldest)
		require.NoError(t, err)
		for m := range part.Messages() {
			all = append(all, m)
			if m.Offset == end-1 {
				break
			}
		}
		require.NoError(t, part.Close())
	}
	return all
}

// modes are those in which the contracts of the native systems let them be used.
func modes() map[handover.SystemID]string {
	return map[handover.SystemID]string{world.KLIB: "B", world.AVAM: "B", world.CASEnet: "A", world.OSIV: "A", world.IVDossier: "A", world.Tutoris: "C"}
}

// evidence waits for quiet and collects everything. It leaves the fleet as it is.
func (f *fleet) evidence(plan clerks.Plan, before map[string]vitals) evidence {
	t := f.t
	t.Helper()
	for _, m := range f.members {
		m.ready()
	}
	e := evidence{
		modes: modes(),
		lags:  f.quiet(), waiting: map[string][]waits{}, before: before, outside: map[string]string{}, canaries: canaries(plan),
	}
	systems := world.Systems("http://" + f.mocksAt)
	urls := map[handover.SystemID]string{}
	for id, s := range systems {
		urls[id] = s.URL
	}
	var err error
	e.journals, err = clerks.FetchJournals(t.Context(), http.DefaultClient, urls)
	require.NoError(t, err)
	e.listen(f)
	e.ordered()
	e.proof = clerks.Check(plan, e.journals, systems)
	f.numbered(e.journals[world.IVDossier])
	for id, j := range e.journals {
		require.True(t, len(j) == 0 || strings.Contains(string(j[0].Body), e.canaries[0]), "what is looked for does not even stand in %s", id)
	}
	for _, m := range f.members {
		var list []waits
		require.NoError(t, m.ask("/parked", &list))
		e.waiting[m.name] = list
		for _, path := range []string{"/parked", "/status", "/metrics", "/late"} {
			var text string
			require.NoError(t, m.ask(path, &text))
			e.outside[m.name+path] = text
		}
	}
	debug.FreeOSMemory() // an hour's journals are gigabytes, and the others need some
	f.rest(&e)
	e.reconciled = f.reconciled()
	return e
}

// reconciled is what an operator sees who compares. On a bad day a system may not be readable when it is its turn; then she compares again.
func (f *fleet) reconciled() (report reconcile.Report) {
	f.t.Helper()
	for range 10 {
		report = reconcile.Report{}
		p := start(f.t, "reconcile", "--json", "--config", f.config)
		code := p.codeWithin(time.Hour) // some hundred records a second, of an hour's work
		require.NoError(f.t, json.Unmarshal([]byte(p.out.String()), &report), p.errors.String())
		if code == 0 || code == 1 {
			break
		}
	}
	return report
}

// numbered gives each entry of the dossier folder the number that stands in its document: the office's journal counts for itself.
func (f *fleet) numbered(journal []core.Entry) {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(world.DossierFolder(filepath.Join(f.dir, "journals")), ivdossier.Cases, "*", "*.xlsx"))
	require.NoError(f.t, err)
	numbers := map[native.Reference][]native.RecordID{}
	for _, file := range files {
		head := map[string]string{}
		book, err := excelize.OpenFile(file)
		require.NoError(f.t, err, file)
		rows, err := book.GetRows(ivdossier.FormSheet)
		require.NoError(f.t, errors.Join(err, book.Close()), file)
		for _, row := range rows {
			if len(row) > 1 {
				head[row[0]] = row[1]
			}
		}
		ref := native.Reference(head[ivdossier.NameReference])
		numbers[ref] = append(numbers[ref], native.RecordID(head[ivdossier.NameRecord]))
	}
	for i := range journal {
		if n := numbers[journal[i].Reference]; journal[i].By == core.ByInterface && len(n) > 0 {
			journal[i].ID, numbers[journal[i].Reference] = n[0], n[1:]
		}
	}
}

// mayBeTwice is what an entry says that a person has had sent once more without knowing whether it stands already (mapping/profile/lucerne).
const mayBeTwice = "[MÖGLICHES DUPLIKAT: auf Anordnung nochmals gesendet; prüfen, ob der Eintrag schon besteht.] "

// ordered takes those words out of the entries that a person has had sent once more: no clerk entered them. Where they stand without an order they are an alteration.
func (e *evidence) ordered() {
	again := map[native.Reference]bool{}
	for _, r := range e.ledger {
		if r.Kind == "RULING" && r.Decision.Verdict == "RETRY" && e.modes[r.To.System] != "A" {
			again[r.Ref] = true
		}
	}
	for _, journal := range e.journals {
		for i := range journal {
			if again[journal[i].Reference] {
				journal[i].Body = bytes.Replace(journal[i].Body, []byte(mayBeTwice), nil, 1)
			}
		}
	}
}

// listen reads the topics, and puts everything that is not sealed among what stands outside.
func (e *evidence) listen(f *fleet) {
	t := f.t
	t.Helper()
	var texts strings.Builder
	for _, name := range []string{".handover", ".ledger", ".parked"} {
		for _, m := range f.topic(f.prefix + name) {
			texts.Write(m.Key)
			texts.Write(m.Value)
			id := ""
			for _, h := range m.Headers {
				texts.Write(h.Key)
				texts.Write(h.Value)
				if string(h.Key) == "ce_id" {
					id = string(h.Value)
				}
			}
			texts.WriteByte('\n')
			switch name {
			case ".handover":
				e.accepted = append(e.accepted, accepted{m.Partition, m.Offset, handover.MessageID(id), handover.CaseID(m.Key)})
			case ".ledger":
				one := entry{partition: m.Partition, offset: m.Offset, at: m.Timestamp}
				require.NoError(t, json.Unmarshal(m.Value, &one, json.MatchCaseInsensitiveNames(true)))
				e.ledger = append(e.ledger, one)
			}
		}
	}
	e.outside["the topics"] = texts.String()
	for k, v := range f.store.all() {
		e.outside["Redis "+k] = k + " " + v
	}
	for _, m := range f.members {
		for i, p := range m.lives {
			e.outside[m.name+"'s log "+strconv.Itoa(i)] = p.out.String() + p.errors.String()
		}
	}
	require.NoError(t, filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "journals" {
			return fs.SkipDir // these are the native systems'
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // below the test's own folder
		e.outside["the file "+path] = path + string(b)
		return err
	}))
}

// canaries are what is personal in a plan.
func canaries(p clerks.Plan) []string {
	all := []string{"Kanarion", "Zitrella", "Geheimgasse", "555 66 77", "kanarion.example"}
	for _, h := range p.Handovers {
		all = append(all, h.Steps[0].Facts.Person.AHV)
	}
	return all
}
