package core_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/core/inbox"
)

// Limits of the workers that the world keeps to.
const (
	lease          = 45 * time.Second
	attemptTimeout = 25 * time.Second
	itemLease      = time.Minute
)

// actGrant: the body decides to award a badge, which the provider may have.
func (w *world) actGrant(rt *rapid.T) {
	if len(w.badges) >= 6 {
		rt.Skip("enough badges")
	}
	w.grant1(rt, w.replica(rt), w.drawMail(rt), rapid.Bool().Draw(rt, "already at the provider"))
}

func (w *world) grant1(rt *rapid.T, r *replica, mail string, known bool) {
	b := w.grant(mail)
	ok := w.must(rt, func() error {
		_, err := r.db.ImportAwards(w.ctx, []core.Award{{
			AwardID: b.award, Recipient: email(mail), FirstName: b.first, LastName: b.last,
			TemplateID: "template-" + b.award, DecidedAt: w.now,
		}})
		return err
	})
	if !ok {
		return
	}
	w.look(rt, `SELECT id FROM badges WHERE award_id = '`+b.award+`'`, func(scan func(...any) error) error { return scan(&b.id) })
	w.badges = append(w.badges, b)
	delete(w.erased, mail)
	if known {
		w.change(b, core.StagePending)
	}
}

// actChange: something happens at the provider, which tells it by webhook.
func (w *world) actChange(rt *rapid.T) {
	b := w.drawBadge(rt)
	if _, known := w.provider.truth[b.award]; !known {
		rt.Skip("not at the provider")
	}
	w.change(b, rapid.SampledFrom([]core.Stage{
		core.StageAccepted, core.StagePublic, core.StagePending, core.StageRejected, core.StageRevoked,
	}).Draw(rt, "stage"))
}

func (w *world) change(b *badge, stage core.Stage) {
	w.now = w.now.Add(time.Millisecond)
	w.provider.set(b, stage)
	w.news = append(w.news, b.award)
}

// actWebhook: the provider delivers one of its webhooks, any of them, perhaps
// once more.
func (w *world) actWebhook(rt *rapid.T) {
	if len(w.news) == 0 {
		rt.Skip("no news")
	}
	i, r := rapid.IntRange(0, len(w.news)-1).Draw(rt, "webhook"), w.replica(rt)
	w.receive(rt, r, i)
}

func (w *world) receive(rt *rapid.T, r *replica, i int) {
	b := w.badgeOf(w.news[i])
	if b == nil {
		return
	}
	w.must(rt, func() error {
		_, err := r.db.Receive(w.ctx, inbox.Message{
			Source: "provider", Key: fmt.Sprint(i), Kind: inbox.KindProviderEvent,
			Payload: b.award + " of " + b.mail,
		})
		return err
	})
}

func (w *world) receiveAll(rt *rapid.T, r *replica) {
	for i := range w.news {
		w.receive(rt, r, i)
	}
	w.workOff(rt, r)
}

// actLate: a process applies what it read at the provider long ago.
func (w *world) actLate(rt *rapid.T) {
	if len(w.provider.said) == 0 {
		rt.Skip("nothing read")
	}
	w.apply(rt, w.replica(rt), rapid.SampledFrom(w.provider.said).Draw(rt, "read"))
}

// apply stores what the provider said, unless its badge was erased meanwhile.
func (w *world) apply(rt *rapid.T, r *replica, o core.Observation) bool {
	if w.badgeOf(o.ExternalID) == nil {
		return true
	}
	ok := w.must(rt, func() error { return r.obs.Apply(w.ctx, o) })
	if ok {
		w.hear(o)
	}
	return ok
}

// actTime: the clock jumps.
func (w *world) actTime(rt *rapid.T) {
	seconds := rapid.SampledFrom([]int{1, 20, 60, 118, 120, 600, 3600}).Draw(rt, "seconds")
	w.now = w.now.Add(time.Duration(seconds) * time.Second)
}

// actSweep: handoffs that ran out are shown to have run out.
func (w *world) actSweep(rt *rapid.T) { w.sweep(rt, w.replica(rt)) }

func (w *world) sweep(rt *rapid.T, r *replica) {
	w.must(rt, func() error {
		_, err := r.sweeper.Expire(w.ctx)
		return err
	})
}

// actWork: a replica works off what came in and what is to be done.
func (w *world) actWork(rt *rapid.T) { w.workOff(rt, w.replica(rt)) }

func (w *world) workOff(rt *rapid.T, r *replica) {
	var items []inbox.Item
	w.must(rt, func() (err error) {
		items, err = r.db.TakeItems(w.ctx, w.now, 16, itemLease)
		return err
	})
	for _, i := range items {
		var steps []step
		switch i.Message.Kind {
		case inbox.KindIssue:
			steps = []step{func(rt *rapid.T) bool { return w.issue(rt, r, i.Message.Payload) }}
		case inbox.KindProviderEvent:
			var award string
			_, _ = fmt.Sscan(i.Message.Payload, &award)
			steps = w.reads(r, func(b *badge) bool { return b.award == award })
		case inbox.KindReadPerson:
			steps = append(w.reads(r, func(b *badge) bool { return b.mail == i.Message.Payload }), func(rt *rapid.T) bool {
				return w.must(rt, func() error { return r.links.Found(w.ctx, i.Message.Source, i.Message.Key) })
			})
		}
		w.run(rt, r, append(steps, func(rt *rapid.T) bool {
			return w.must(rt, func() error { return r.db.FinishItem(w.ctx, i.ID, w.now) })
		})...)
	}
}

// reads are the steps of reading badges at the provider and storing what it
// said.
func (w *world) reads(r *replica, which func(*badge) bool) []step {
	var said []core.Observation
	return []step{
		func(*rapid.T) bool {
			for _, b := range w.badges {
				if o, err := w.provider.Get(w.ctx, "at-"+b.award); err == nil && which(b) {
					said = append(said, o)
				}
			}
			return true
		},
		func(rt *rapid.T) bool {
			for _, o := range said {
				if !w.apply(rt, r, o) {
					return false
				}
			}
			return true
		},
	}
}

func (w *world) issue(rt *rapid.T, r *replica, id string) bool {
	heard := len(w.provider.said)
	ok := w.must(rt, func() error { return r.work.Issue(w.ctx, id) })
	if b, h := w.handoffOf(id); ok && len(w.provider.said) > heard && h != nil {
		w.hear(w.provider.said[len(w.provider.said)-1])
		b.issued(h, w.now)
	}
	return ok
}

// actDeliver: a replica takes what is due and brings it to people.
func (w *world) actDeliver(rt *rapid.T) { w.deliver(rt, w.replica(rt)) }

func (w *world) deliver(rt *rapid.T, r *replica) int {
	var due []delivery.Delivery
	w.must(rt, func() (err error) {
		due, err = r.db.TakeDeliveries(w.ctx, w.now, 16, lease, delivery.Share{})
		return err
	})
	taken := w.now
	for _, d := range due {
		w.carry(rt, r, d, taken)
	}
	return len(due)
}

// carry sends what a replica has leased.
func (w *world) carry(rt *rapid.T, r *replica, d delivery.Delivery, taken time.Time) {
	var o delivery.Outcome
	w.run(rt, r, func(*rapid.T) bool {
		if !w.now.Before(taken.Add(attemptTimeout)) {
			return false
		}
		o = w.send(r, d)
		return true
	}, func(rt *rapid.T) bool {
		return w.must(rt, func() error {
			_, err := r.db.FinishDeliveries(w.ctx, w.now, []delivery.Outcome{o})
			return err
		})
	})
}

// courier leases cards to the replica that queues them.
type courier struct{ w *world }

var _ core.Courier = courier{}

func (c courier) Lease(core.Identity) time.Time { return c.w.now.Add(lease) }

// Carry does nothing: the world decides when a replica carries.
func (courier) Carry(core.Parcel) {}

func (w *world) send(r *replica, d delivery.Delivery) delivery.Outcome {
	w.sending, w.about = d, core.Subject{}
	if d.Kind == delivery.KindPost {
		if post, err := r.db.Post(w.ctx, d.Ref); err == nil {
			w.about = post.Subject
		}
	}
	return r.senders[d.Kind].Send(w.ctx, d)
}

// letThrough lets everything arrive that is due now.
func (w *world) letThrough(rt *rapid.T, r *replica) {
	w.calmly(func() {
		for w.deliver(rt, r) > 0 {
		}
	})
	w.checkWhatLeft(rt)
}

// actGoOn: a process that stalled goes on where it was.
func (w *world) actGoOn(rt *rapid.T) {
	r := w.replica(rt)
	if len(r.stalled) == 0 {
		rt.Skip("nothing stalled")
	}
	steps := r.stalled[0]
	r.stalled = r.stalled[1:]
	for _, s := range steps {
		if !s(rt) {
			return
		}
	}
}

// actDie: a process dies with everything that it had in its hands.
func (w *world) actDie(rt *rapid.T) {
	r := w.replica(rt)
	if len(r.stalled) == 0 {
		rt.Skip("nothing to lose")
	}
	r.stalled = nil
}

// settle lets everything come to its end: no process stalls or dies any more,
// time passes.
func (w *world) settle(rt *rapid.T) {
	w.calm = true
	for _, r := range w.replicas {
		r.stalled = nil
	}
	for i := range 20 {
		// Longer and longer, because a badge may take long to be issued.
		w.now = w.now.Add(time.Duration(1+i) * time.Minute)
		w.sweep(rt, w.replicas[i%2])
		w.workOff(rt, w.replicas[i%2])
		w.letThrough(rt, w.replicas[1-i%2])
		var left int
		w.look(rt, `SELECT (SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending'))
			+ (SELECT count(*) FROM inbox WHERE state IN ('ready', 'running'))
			+ (SELECT count(*) FROM handoffs WHERE state IN ('preparing', 'open'))`, func(scan func(...any) error) error { return scan(&left) })
		if left == 0 {
			return
		}
	}
	rt.Fatalf("rule 4: not everything came to its end:\n%s", w.dump(rt))
}
