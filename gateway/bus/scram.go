package bus

import (
	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// scramClient fits xdg-go/scram to sarama's interface.
type scramClient struct {
	hash scram.HashGeneratorFcn
	conv *scram.ClientConversation
}

func newScram(mechanism string) func() sarama.SCRAMClient {
	hash := scram.SHA256
	if mechanism == sarama.SASLTypeSCRAMSHA512 {
		hash = scram.SHA512
	}
	return func() sarama.SCRAMClient { return &scramClient{hash: hash} }
}

// Begin prepares the exchange.
func (c *scramClient) Begin(user, password, authz string) error {
	client, err := c.hash.NewClient(user, password, authz)
	if err != nil {
		return err
	}
	c.conv = client.NewConversation()
	return nil
}

// Step answers the broker.
func (c *scramClient) Step(challenge string) (string, error) { return c.conv.Step(challenge) }

// Done reports whether the exchange is over.
func (c *scramClient) Done() bool { return c.conv.Done() }
