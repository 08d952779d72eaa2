package gateway_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// readTopic returns everything in a topic.
func readTopic(t testing.TB, broker, topic string) []*sarama.ConsumerMessage {
	t.Helper()
	client, err := sarama.NewClient([]string{broker}, sarama.NewConfig())
	require.NoError(t, err)
	consumer, err := sarama.NewConsumerFromClient(client)
	require.NoError(t, err)
	partitions, err := client.Partitions(topic)
	require.NoError(t, err)
	var all []*sarama.ConsumerMessage
	for _, p := range partitions {
		oldest, err := client.GetOffset(topic, p, sarama.OffsetOldest)
		require.NoError(t, err)
		end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		require.NoError(t, err)
		if oldest == end {
			continue
		}
		part, err := consumer.ConsumePartition(topic, p, sarama.OffsetOldest)
		require.NoError(t, err)
		for m := range part.Messages() {
			all = append(all, m)
			if m.Offset == end-1 {
				break
			}
		}
		require.NoError(t, part.Close())
	}
	require.NoError(t, consumer.Close())
	require.NoError(t, client.Close())
	return all
}

// secretive puts values into everybody's facts that occur nowhere by chance.
func secretive(f *core.Facts) {
	f.Person.OfficialName, f.Person.FirstName, f.Person.DateOfBirth = "Kanarion", "Zitrella", "1971-12-29"
	f.Person.Street, f.Person.Phone, f.Person.Email = "Geheimgasse", "+41 79 555 66 77", "zitrella@kanarion.example"
	f.Goal, f.Reason, f.Question, f.Answer, f.Hint = "Geheimziel", "Geheimgrund", "Geheimfrage", "Geheimantwort", "Geheimhinweis"
	f.MeetingPlace, f.Strategy, f.FurtherMeasures, f.ExtraReason = "Geheimort", "Geheimplan", "Geheimschritt", "Geheimwunsch"
	f.Contact.Name, f.SignedBy, f.Provider, f.Result = "Geheimkontakt", "Geheimhand", "Geheimanbieter", "Geheimresultat"
}

// canaries returns every spelling of what is personal in a plan.
func canaries(p clerks.Plan) []string {
	all := []string{"Kanarion", "Zitrella", "1971-12-29", "29.12.1971", "Geheim", "555 66 77", "kanarion.example"}
	for _, h := range p.Handovers {
		n := h.Steps[0].Facts.Person.AHV
		all = append(all, n, n[:3]+"."+n[3:7]+"."+n[7:11]+"."+n[11:], n[3:12])
		for _, s := range h.Steps {
			all = append(all, s.Marker)
		}
	}
	return all
}

// silent demands that none of the canaries stands in a text.
func silent(t *testing.T, canaries []string, where, text string) {
	t.Helper()
	for _, c := range canaries {
		if at := strings.Index(text, c); at >= 0 {
			require.Fail(t, "something personal stands in "+where, "%q in %q", c, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

// gossip lets a native system repeat what it was told in its refusals, as somebody else's might.
func gossip(f *front) {
	f.set(func(id handover.SystemID, w http.ResponseWriter, r *http.Request) bool {
		if id != world.KLIB || r.Method != http.MethodPost {
			return false
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = fmt.Fprint(w, `{"type":"about:blank","title":"Kanarion Zitrella","status":422,"code":"inhalt-ungueltig","detail":"Kanarion","fehler":[{"feld":"Kanarion Zitrella","code":"Geheim nis"}]}`)
		return true
	}, nil)
}

// Nothing personal leaves the sealed payload, in good days and in bad ones.
func TestI6NothingPersonalStandsOutsideTheSealedPayload(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(71))
	f := s.front()
	s.shared()
	redis := s.keys()
	seen := &spans{}
	g := s.gateway(seen.kept)
	p := plan(t, 71, 8)
	for i := range p.Handovers {
		for j := range p.Handovers[i].Steps {
			secretive(&p.Handovers[i].Steps[j].Facts)
		}
	}
	s.play(p)
	g.clean()
	// Now what goes wrong: contents that cannot be translated, entries that cannot be read, a system that refuses and repeats what it was told.
	for i, bad := range badInputs() {
		a := s.affair(10 + i)
		secretive(&a.facts)
		if bad.opened {
			a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), everywhere()...)
		}
		bad.enter(a)
	}
	g.waits(len(badInputs()))
	gossip(f)
	a := s.affair(9).between("rav-luzern", "sd-kriens")
	secretive(&a.facts)
	a.enters(world.AVAM, "rav-luzern", "application-submitted")
	g.waits(len(badInputs()) + 1)

	secrets := canaries(p)
	for _, path := range []string{"/parked", "/status", "/metrics", "/readyz", "/healthz"} {
		_, said := g.admin(http.MethodGet, path, nil)
		require.NotEmpty(t, said)
		silent(t, secrets, path, said)
	}
	stored := redis.all()
	require.NotEmpty(t, stored)
	for key, v := range stored {
		silent(t, secrets, "a key of Redis", key)
		silent(t, secrets, "a value of Redis", v)
	}
	g.stop()
	for _, span := range seen.ended() {
		silent(t, secrets, "a span", fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status(), span.Resource()))
	}
	silent(t, secrets, "the log", s.log.String())
	for _, topic := range []string{s.prefix + ".handover", s.prefix + ".ledger", s.prefix + ".parked"} {
		records := readTopic(t, s.kafka, topic)
		require.NotEmpty(t, records)
		for _, r := range records {
			silent(t, secrets, topic, string(r.Key)+" "+string(r.Value))
			for _, h := range r.Headers {
				silent(t, secrets, topic, string(h.Key)+" "+string(h.Value))
			}
		}
	}
	s.silentFiles(t, secrets)
}

// silentFiles looks into every file that gateway and engines have made, and at its name.
func (s *stage) silentFiles(t *testing.T, secrets []string) {
	t.Helper()
	files, least := 0, 11
	if s.prefix != "einmal" {
		least = 5
	}
	require.NoError(t, filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, core.JournalName("")) {
			return err // the journals are the native systems'
		}
		silent(t, secrets, "a file name", path)
		if !d.Type().IsRegular() {
			return nil
		}
		files++
		b, err := os.ReadFile(path)
		silent(t, secrets, path, string(b))
		return err
	}))
	require.GreaterOrEqual(t, files, least, "the files of the gateway, and of the engines unless they are somewhere else")
}
