package bus

import (
	"context"
	"errors"
	"slices"

	"github.com/IBM/sarama"
	"github.com/eapache/go-resiliency/breaker"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// isAny reports whether err is one of the causes.
func isAny(err error, causes ...error) bool {
	return slices.ContainsFunc(causes, func(c error) bool { return errors.Is(err, c) })
}

// forbidden are the answers to somebody who is not known or not allowed.
func forbidden(err error) bool {
	return isAny(err, sarama.ErrTopicAuthorizationFailed, sarama.ErrGroupAuthorizationFailed, sarama.ErrClusterAuthorizationFailed,
		sarama.ErrSASLAuthenticationFailed, sarama.ErrUnsupportedSASLMechanism, sarama.ErrIllegalSASLState)
}

// opening classifies what went wrong while the bus is opened: what no waiting will cure is Stop, the rest Retry.
func opening(op string, err error) error {
	e := fault.New(fault.Retry, op, "unreachable", "the brokers do not answer as they should").Because(err).
		Hint("check the addresses, TLS and the login; a broker closes the connection when the password is wrong")
	switch {
	case err == nil:
		return nil
	case fault.KindOf(err) != fault.Unclassified:
		return err
	case forbidden(err):
		e.Kind, e.Code, e.Text, e.Next = fault.Stop, "forbidden", "the brokers do not let this user in", "check user, password and access rights"
	case isAny(err, sarama.ErrUnsupportedVersion):
		e.Kind, e.Code, e.Text, e.Next = fault.Stop, "version", "the brokers do not speak the configured version", "set version to that of the oldest broker"
	}
	return e
}

// asking classifies the failure of a question that writes nothing.
func asking(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case fault.KindOf(err) != fault.Unclassified:
		return err
	case isAny(err, sarama.ErrOffsetOutOfRange):
		return outOfRange(op)
	case forbidden(err):
		return fault.New(fault.Retry, op, "forbidden", "the brokers do not allow it").Because(err).Hint("check the login and the access rights")
	}
	return fault.New(fault.Retry, op, "unreachable", "the brokers do not answer as they should").Because(err)
}

const rangeCode = "offset-out-of-range"

// outOfRange is the loss of a log's beginning or end.
func outOfRange(op string) error {
	return fault.New(fault.Stop, op, rangeCode, "the log does not hold the offset where this reader has to go on").
		Hint("the log was shortened, restored or exchanged; find out which, and see the operator's manual before starting again")
}

// refusedSession is a group that no waiting lets in.
func refusedSession(err error) error {
	return fault.New(fault.Stop, "bus.consume", "session", "the brokers do not take the configured session").Because(err).
		Hint("set session within the brokers' group.min.session.timeout.ms (6s unless changed) and group.max.session.timeout.ms")
}

// takenInstance says that another process bears this one's name.
func takenInstance() error {
	return fault.New(fault.Stop, "bus.consume", "instance-taken", "another gateway runs under the same instance name").Because(sarama.ErrFencedInstancedId).
		Hint("give each gateway its own instance in the configuration")
}

// publishing classifies the failure of a publish. sarama sends a record several times, and the error is that of the last time only; so everything is
// Doubt except what would have been refused every time.
func publishing(err error) error {
	const op = "bus.publish"
	var config sarama.ConfigurationError
	switch {
	case isAny(err, sarama.ErrMessageSizeTooLarge, sarama.ErrMessageSetSizeTooLarge):
		return fault.New(fault.Refuse, op, "too-large", "the record is larger than the brokers take").Because(err)
	case isAny(err, sarama.ErrInvalidRecord, sarama.ErrInvalidPartition), errors.As(err, &config):
		return fault.New(fault.Refuse, op, "invalid-record", "the brokers do not take the record").Because(err)
	case forbidden(err):
		return fault.New(fault.Doubt, op, "forbidden", "the brokers do not allow writing").Because(err).Hint("check the login and the access rights")
	}
	return fault.New(fault.Doubt, op, "unconfirmed", "nobody knows whether the record was written").Because(err).Hint("publish it again; readers recognise it by its id")
}

// brokenProducer reports whether the producer itself cannot go on, as opposed to the record or the brokers. The open breaker counts: it would refuse for ten
// seconds after the brokers are back, and a new producer has a new one.
func brokenProducer(err error) bool {
	return isAny(err, sarama.ErrProducerFenced, sarama.ErrInvalidProducerEpoch, sarama.ErrOutOfOrderSequenceNumber, sarama.ErrUnknownProducerID,
		sarama.ErrInvalidProducerIDMapping, sarama.ErrDuplicateSequenceNumber, sarama.ErrClusterAuthorizationFailed, sarama.ErrShuttingDown,
		sarama.ErrClosedClient, breaker.ErrBreakerOpen)
}

// ended reports whether a context is over, as the reason for err.
func ended(ctx context.Context) bool { return ctx.Err() != nil }
