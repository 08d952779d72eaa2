package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// metadataVersion is one that Kafka 2.1 and Kafka 4 both understand.
const metadataVersion = 5

// Cluster returns the id that the brokers give to their cluster: another one means other logs. Errors are of kind Retry.
func (b *Bus) Cluster(ctx context.Context) (string, error) {
	const op = "bus.cluster"
	if err := ctx.Err(); err != nil {
		return "", fault.Wrap(fault.Retry, op, err)
	}
	broker, err := b.client.Controller()
	if err != nil {
		return "", asking(op, err)
	}
	answer, err := broker.GetMetadata(&sarama.MetadataRequest{Version: metadataVersion, Topics: []string{b.topics.Ledger}})
	if err != nil {
		return "", asking(op, errors.Join(err, broker.Close())) // the next question connects anew
	}
	if answer.ClusterID == nil {
		return "", nil
	}
	return *answer.ClusterID, nil
}

// Shape asks the brokers how many partitions the topics have now. Partitions that were added are an error of kind Stop with the code partitions-changed: another program that counts them would
// look for a case elsewhere. Other errors are of kind Retry.
func (b *Bus) Shape(ctx context.Context) error {
	const op = "bus.shape"
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Retry, op, err)
	}
	var fs fault.Findings
	for _, spec := range b.topics.specs() {
		if err := b.client.RefreshMetadata(spec.name); err != nil {
			return asking(op, err)
		}
		all, err := b.client.Partitions(spec.name)
		if err != nil {
			return asking(op, err)
		}
		b.checkPartitions(spec.name, len(all), &fs)
	}
	if len(fs) > 0 {
		return partitionsChanged(op).Because(fs)
	}
	return nil
}

func partitionsChanged(op string) *fault.Error {
	return fault.New(fault.Stop, op, "partitions-changed", "the topics do not have as many partitions as the cases are spread over")
}

// checkPartitions adds a finding when a topic does not have as many partitions as it must.
func (b *Bus) checkPartitions(topic string, n int, fs *fault.Findings) {
	used, unused := int(b.config.Partitions), int(b.config.Unused)
	switch {
	case n == used || n == used+unused:
	case n > used:
		fs.Add(topic, "partitions", fmt.Sprintf("the topic has %d partitions and the configuration says %d: whoever counts %d looks for a case in another partition", n, used, n),
			fmt.Sprintf("if they were added, set unusedPartitions to %d: einmal goes on with the first %d; if all three topics were made with %d, set partitions to that", n-used, used, n))
	default:
		fs.Add(topic, "partitions", fmt.Sprintf("the topic has %d partitions and the configuration says %d", n, used),
			fmt.Sprintf("set partitions to %d if all three topics have that many and nothing lies in them yet; otherwise the number was changed and cases would change partitions", n))
	}
}

// Forget removes what a group has committed, so that it starts at the beginning. A group with members is an error of kind Stop with the code group-in-use; one that does not exist
// is none. Other errors are of kind Retry, and nobody knows then whether it was removed.
func (b *Bus) Forget(ctx context.Context, group string) error {
	const op = "bus.forget"
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Retry, op, err)
	}
	admin, err := sarama.NewClusterAdminFromClient(b.client)
	if err != nil {
		return asking(op, err)
	}
	switch err := admin.DeleteConsumerGroup(group); {
	case isAny(err, sarama.ErrNonEmptyGroup):
		return fault.New(fault.Stop, op, "group-in-use", "a gateway runs on these topics").
			Hint("stop all gateways; one that was killed counts for as long as kafka.session")
	case isAny(err, sarama.ErrGroupIDNotFound):
		return nil
	default:
		return asking(op, err)
	}
}
