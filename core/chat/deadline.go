package chat

import (
	"context"
	"time"
)

// AnswerWithin is how long a transport waits for an answer before it
// acknowledges without one: both platforms give three seconds
// (https://docs.slack.dev/interactivity/handling-user-interaction,
// https://discord.com/developers/docs/interactions/receiving-and-responding),
// of which the way there and back takes a part.
const AnswerWithin = 2 * time.Second

// firstWithin is how long a transport waits for the answer that follows an
// [Answer] with Then, before it shows that one: what is quick is answered at
// once, and nobody watches two messages within a moment.
const firstWithin = 700 * time.Millisecond

// Race lets h answer a. It returns the answer and true when it came within
// limit; otherwise it returns false, the work goes on, and late is called
// with the answer when it is there, in a goroutine of its own. With false
// comes what can be shown meanwhile: an answer with Then, without it, or the
// zero Answer. The work is not cancelled when ctx ends, because the
// transport's request ends with the acknowledgement; it has workLimit from
// the start.
func Race(ctx context.Context, h Handler, a Action, limit time.Duration, late func(context.Context, Answer)) (Answer, bool) {
	const workLimit = 20 * time.Second
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), workLimit)
	first := make(chan Answer, 1)
	done := make(chan Answer, 1)
	taken := make(chan bool, 1)
	go func() {
		defer cancel()
		answer := h.Handle(work, a)
		if then := answer.Then; then != nil {
			answer.Then = nil
			first <- answer
			answer = then(work)
		}
		done <- answer
		if inTime := <-taken; !inTime {
			late(work, answer)
		}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	end := time.Now().Add(limit)
	var meanwhile Answer
	for {
		select {
		case answer := <-done:
			taken <- true
			return answer, true
		case meanwhile = <-first:
			timer.Reset(min(time.Until(end), firstWithin))
		case <-timer.C:
			taken <- false
			return meanwhile, false
		}
	}
}
