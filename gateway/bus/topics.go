package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/IBM/sarama"
	"github.com/cenkalti/backoff/v5"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// forever is Kafka's word for "no retention limit".
const forever = "-1"

// topicSpec is what a topic has to be.
type topicSpec struct{ name, cleanup string }

func (t Topics) specs() []topicSpec {
	return []topicSpec{{t.Handover, "delete"}, {t.Ledger, "compact"}, {t.Parked, "delete"}}
}

// ensureTopics creates what is missing and checks everything, so that a topic made by somebody else is held to the same standard.
func (b *Bus) ensureTopics(ctx context.Context) error {
	admin, err := sarama.NewClusterAdminFromClient(b.client)
	if err != nil {
		return err
	}
	// The admin's Close would close the shared client.
	for _, spec := range b.topics.specs() {
		if err := b.createTopic(admin, spec); err != nil {
			return err
		}
	}
	var fs fault.Findings
	for _, spec := range b.topics.specs() {
		if err := b.checkTopic(ctx, admin, spec, &fs); err != nil {
			return err
		}
	}
	if len(fs) > 0 {
		return fault.New(fault.Stop, "bus.open", "topic-unfit", "the topics do not allow einmal to keep its promises").Because(fs)
	}
	return nil
}

func (b *Bus) createTopic(admin sarama.ClusterAdmin, spec topicSpec) error {
	names, err := admin.ListTopics()
	if err != nil {
		return err
	}
	if _, there := names[spec.name]; there {
		return nil
	}
	err = admin.CreateTopic(spec.name, &sarama.TopicDetail{
		NumPartitions: b.config.Partitions, ReplicationFactor: b.config.Replication, ConfigEntries: spec.entries(b.config),
	}, false)
	if isAny(err, sarama.ErrTopicAlreadyExists) {
		return nil // another gateway was faster
	}
	if isAny(err, sarama.ErrInvalidReplicationFactor, sarama.ErrPolicyViolation, sarama.ErrInvalidConfig, sarama.ErrTopicAuthorizationFailed) {
		return fault.New(fault.Stop, "bus.open", "topic-create", "the topic "+spec.name+" cannot be created").Because(err).
			Hint("create it yourself with the same settings, or set replication to the number of brokers, or give the right to create it")
	}
	return err
}

// entries returns the settings of a new topic.
func (s topicSpec) entries(c Config) map[string]*string {
	// The brokers' clock, not that of the process that writes: the ledger's times have to be comparable.
	e := map[string]string{"cleanup.policy": s.cleanup, "min.insync.replicas": strconv.Itoa(c.MinInSync), "message.timestamp.type": "LogAppendTime"}
	if s.cleanup == "delete" {
		e["retention.ms"], e["retention.bytes"] = forever, forever
	}
	out := make(map[string]*string, len(e))
	for k, v := range e {
		out[k] = &v
	}
	return out
}

// checkTopic adds what is wrong with one topic to fs.
func (b *Bus) checkTopic(ctx context.Context, admin sarama.ClusterAdmin, spec topicSpec, fs *fault.Findings) error {
	meta, err := describe(ctx, admin, spec.name, b.config.Partitions)
	if err != nil {
		return err
	}
	b.checkShape(meta, fs)
	settings, err := admin.DescribeConfig( //nolint:staticcheck // DescribeConfigs answers for many at once, and this asks for one
		sarama.ConfigResource{Type: sarama.TopicResource, Name: spec.name})
	if err != nil {
		return err
	}
	values := make(map[string]string, len(settings))
	for _, s := range settings {
		values[s.Name] = s.Value
	}
	b.checkSettings(spec, values, fs)
	return nil
}

// describe waits until a topic that was just created can be seen with all its partitions.
func describe(ctx context.Context, admin sarama.ClusterAdmin, name string, partitions int32) (*sarama.TopicMetadata, error) {
	var last *sarama.TopicMetadata
	look := func() (*sarama.TopicMetadata, error) {
		metas, err := admin.DescribeTopics([]string{name})
		if err != nil {
			return nil, backoff.Permanent(err)
		}
		if len(metas) != 1 || metas[0].Err != sarama.ErrNoError {
			return nil, errors.Join(fault.New(fault.Retry, "bus.open", "topic-not-ready", "the topic "+name+" is not ready"), metas[0].Err)
		}
		last = metas[0]
		if len(last.Partitions) < int(partitions) {
			return nil, errNotAll
		}
		return last, nil
	}
	meta, err := backoff.Retry(ctx, look, backoff.WithBackOff(pauses()), backoff.WithMaxElapsedTime(2*time.Second))
	if errors.Is(err, errNotAll) {
		return last, nil // it has fewer for good: the check says so
	}
	return meta, err
}

var errNotAll = errors.New("not all partitions yet")

// pauses returns a schedule of growing pauses with some chance in it.
func pauses() *backoff.ExponentialBackOff {
	p := backoff.NewExponentialBackOff()
	p.InitialInterval, p.MaxInterval = 50*time.Millisecond, 2*time.Second
	return p
}

func (b *Bus) checkShape(meta *sarama.TopicMetadata, fs *fault.Findings) {
	b.checkPartitions(meta.Name, len(meta.Partitions), fs)
	few := slices.ContainsFunc(meta.Partitions, func(p *sarama.PartitionMetadata) bool { return len(p.Replicas) < int(b.config.Replication) })
	if few {
		fs.Add(meta.Name, "replication", fmt.Sprintf("a partition has fewer than %d replicas", b.config.Replication),
			"assign more replicas, or lower replication and accept that the loss of a broker loses records")
	}
}

func (b *Bus) checkSettings(spec topicSpec, values map[string]string, fs *fault.Findings) {
	must := func(setting, want, why string) {
		if got := values[setting]; got != want {
			fs.Add(spec.name, setting, fmt.Sprintf("%s is %q: %s", setting, got, why), fmt.Sprintf("set it to %q", want))
		}
	}
	must("cleanup.policy", spec.cleanup, "records that are still needed would be removed")
	if spec.cleanup == "delete" {
		must("retention.ms", forever, "records that nobody has read would be deleted")
		must("retention.bytes", forever, "records that nobody has read would be deleted")
	}
	if n, err := strconv.Atoi(values["min.insync.replicas"]); err != nil || n < b.config.MinInSync {
		fs.Add(spec.name, "min.insync.replicas", "min.insync.replicas is too low: the brokers would acknowledge a record that too few of them have",
			fmt.Sprintf("set it to %d", b.config.MinInSync))
	}
	// Not every broker tells.
	if values["unclean.leader.election.enable"] == "true" {
		fs.Add(spec.name, "unclean.leader.election.enable", "a broker that missed acknowledged records could become leader", `set it to "false"`)
	}
}
