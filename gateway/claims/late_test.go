package claims_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/claims"
)

// sluggish is a line to Redis on which the answer to some commands arrives after the client has given it up.
type sluggish struct {
	listen net.Listener
	target string
	to     atomic.Value // of which command: a word in small letters; empty: of none
	late   atomic.Int64 // how many answers came late
	alive  sync.WaitGroup
}

// tooLate is more than the client waits.
const tooLate = 1200 * time.Millisecond

func newSluggish(t *testing.T, target string) *sluggish {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &sluggish{listen: l, target: target}
	s.to.Store("")
	s.alive.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it was closed below
			}
			s.alive.Go(func() { s.connect(c) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		s.alive.Wait()
	})
	return s
}

// connect carries what both say. Every line of an answer takes a moment, so that one that is left over is not seen before the next question is asked.
func (s *sluggish) connect(client net.Conn) {
	redis, err := net.Dial("tcp", s.target)
	if err != nil {
		_ = client.Close()
		return
	}
	var hold atomic.Bool
	s.alive.Go(func() {
		carry(client, redis, func(question []byte) {
			if word := s.to.Load().(string); word != "" && bytes.Contains(bytes.ToLower(question), []byte(word)) {
				hold.Store(true)
			}
		})
	})
	carry(redis, client, func([]byte) {
		if hold.Swap(false) {
			s.late.Add(1)
			<-time.After(tooLate)
		}
		<-time.After(3 * time.Millisecond)
	})
}

// carry hands on everything from one to the other, and ends both.
func carry(from, to net.Conn, before func([]byte)) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			break
		}
		for line := range bytes.Lines(b[:n]) {
			before(line)
			if _, e := to.Write(line); e != nil {
				err = e // it has been given up
			}
		}
		if err != nil {
			break
		}
	}
	_, _ = from.Close(), to.Close()
}

// Fault 53: an answer that was given up arrives after all, on the connection on which something else has been asked since. It is not taken for the answer to that.
func TestAnAnswerThatComesTooLateIsNotTakenForAnother(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"get", "setinfo", "hello"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			line, ctx := newSluggish(t, miniredis.RunT(t).Addr()), t.Context()
			open := func() *claims.Claims {
				c := claims.Open(claims.Options{Address: line.listen.Addr().String(), Keep: time.Hour}, "one")
				t.Cleanup(func() { require.NoError(t, c.Close()) })
				c.Use("installation", 0)
				return c
			}
			mark := func(n int) string { return fmt.Sprintf("print-%d", n) }
			id := func(n int) handover.MessageID { return handover.MessageID(fmt.Sprintf("m-%d", n)) }
			before := open()
			for n := range 3 {
				before.SetSeen(ctx, id(n), mark(n))
			}
			line.to.Store(word)
			c := open()
			c.Seen(ctx, id(0), mark(0)) // whether it is known in time does not matter
			line.to.Store("")
			require.Positive(t, line.late.Load(), "no answer was late")
			mixed := false
			require.Eventually(t, func() bool {
				for n := range 9 {
					mixed = mixed || n/3 != n%3 && c.Seen(ctx, id(n/3), mark(n%3))
				}
				return mixed || c.Seen(ctx, id(2), mark(2))
			}, time.Minute, 20*time.Millisecond, "it is used again")
			require.False(t, mixed, "the answer to another question")
		})
	}
}

// Fault 49: a claim is taken and the answer comes too late. Whoever asked goes on, and when it asks again its own claim does not look like another's; for the others it is taken.
func TestAClaimWhoseAnswerIsLostIsStillItsOwn(t *testing.T) {
	t.Parallel()
	redis, ctx := miniredis.RunT(t), t.Context()
	line := newSluggish(t, redis.Addr())
	open := func(address, owner string) *claims.Claims {
		c := claims.Open(claims.Options{Address: address, Keep: time.Hour}, owner)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		c.Use("installation", 0)
		return c
	}
	one, two := open(line.listen.Addr().String(), "one"), open(redis.Addr(), "two")
	line.to.Store("eval")
	require.True(t, one.Claim(ctx, "ref-1", lease), "who does not know goes on")
	line.to.Store("")
	require.EqualValues(t, 1, line.late.Load(), "the answer came in time, or it was asked more than once")
	require.False(t, two.Claim(ctx, "ref-1", lease), "it was taken all the same")
	held := redis.TTL(redis.Keys()[0])
	require.True(t, one.Claim(ctx, "ref-1", 10*lease), "it is its own")
	require.Greater(t, redis.TTL(redis.Keys()[0]), held, "and lasts from now on")
	one.Release(ctx, "ref-1")
	require.True(t, two.Claim(ctx, "ref-1", lease))
}
