package bus

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
)

func TestTheSameTroubleIsToldOnceInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		w := Watch{Trouble: func(err error) { told = append(told, err) }}.seldom()
		for range 100 {
			w.trouble(asking("bus.tail", sarama.ErrOutOfBrokers))
		}
		require.Len(t, told, 1)
		w.trouble(asking("bus.consume", sarama.ErrOutOfBrokers))
		w.trouble(asking("bus.tail", sarama.ErrTopicAuthorizationFailed))
		w.trouble(errors.New("plain"))
		w.trouble(nil)
		require.Len(t, told, 4, "another operation or another code is another trouble")
		<-time.After(again)
		w.trouble(asking("bus.tail", sarama.ErrOutOfBrokers))
		require.Len(t, told, 5)
	})
	Watch{}.seldom().trouble(errors.New("nobody listens"))
}
