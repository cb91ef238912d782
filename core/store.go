package core

import (
	"context"
	"time"
)

// Store keeps everything. Every method is one transaction. Methods return
// [ErrNotFound], [ErrUnmet] or [ErrGone] where their comment says so; any
// other error wraps [ErrUnavailable] when the database could not be reached
// and says nothing about anybody in its text.
//
// Every statement takes the time as a parameter: expiry is decided by the
// statement that changes the row and by the one clock of [Clock], never by
// whether a job ran.
type Store interface {
	PersonStore
	ClaimStore
	LinkStore
	BadgeStore
	PostStore
	ActionStore
	RemindStore
	CustomsStore
	CallStore
	CelebrateStore
	StatusStore
	DigestStore
	ShareStore
	InquiryStore
	HomeStore
	RoleStore
	CertificateStore
	TaskStore
	// InTx runs f in one transaction: everything in it happens or nothing
	// does. f may run again after a serialization failure, so it must not
	// have effects outside of tx.
	InTx(ctx context.Context, f func(ctx context.Context, tx Tx) error) error
}

// PersonStore reads what a chat identity may see.
type PersonStore interface {
	// Person returns what is known of a chat identity; for somebody unknown
	// a Person whose Account is nil, and no error. Accounts and Addresses are
	// those of the whole member, oldest first.
	Person(ctx context.Context, id Identity) (Person, error)
	// BadgesOf returns the badges issued to the verified addresses of a
	// member and to nobody else's: claimable ones first, then held, then
	// ended; newest first in each group.
	BadgesOf(ctx context.Context, memberID string) ([]BadgeView, error)
	// Account returns one account, or [ErrNotFound].
	Account(ctx context.Context, id string) (Account, error)
}

// ClaimParams is one press on Claim.
type ClaimParams struct {
	Actor     Identity
	BadgeID   string
	HandoffID string
	Now       time.Time
	// ExpiresAt is the end of the handoff of a badge the provider already
	// has; IssueBy the end of one that must be issued first.
	ExpiresAt, IssueBy time.Time
	// PostID is the id of the post that will show the handoff at Place. A
	// post of the same account with the same message key is taken over.
	PostID string
	Place  Place
	// Announce also queues the event "badge.claimed" under EventID.
	Announce bool
	EventID  string
	// LeaseUntil, if not zero, is until when the delivery of the card is
	// leased to whoever claims, provided that it can be sent at once.
	LeaseUntil time.Time
}

// Opening is the handoff that a press on Claim led to.
type Opening struct {
	Handoff Handoff
	// Fresh says that it was opened by this press, and not before it.
	Fresh bool
	// Parcel is the card with its lease, or nil where it waits its turn.
	Parcel *Parcel
}

// ClaimState is why a claim was refused.
type ClaimState struct {
	Badge Badge
	// Open is the live handoff of the badge, or nil.
	Open *Handoff
}

// ClaimStore opens, follows and ends handoffs.
type ClaimStore interface {
	// Claim opens a handoff, or finds the live one of the badge: only if the
	// badge is claimable and was issued to a verified address of the actor's
	// member. A handoff that outlived its time counts as gone. In the same
	// transaction comes the post at Place with its delivery, which is leased
	// until LeaseUntil where nothing else of its lane waits and the workspace
	// is alive; for a new handoff also the audit entry, for a granted badge
	// the inbox item that issues it (handoff state preparing), and the event.
	// [ErrUnmet] when a condition does not hold, or when another press opened
	// a handoff meanwhile, with nothing changed. On PostgreSQL it is one
	// prepared statement and one round trip.
	Claim(ctx context.Context, p ClaimParams) (Opening, error)
	// ClaimState tells the owner of a badge how it stands. [ErrNotFound] for
	// anybody else and for an unknown badge alike.
	ClaimState(ctx context.Context, actor Identity, badgeID string, now time.Time) (ClaimState, error)
	// HandoffView returns a handoff with its badge, or [ErrNotFound].
	HandoffView(ctx context.Context, handoffID string) (HandoffView, error)
	// FollowHandoff consumes a handoff: only if it is open and now is before
	// its end, decided by the updating statement. The badge is to be read
	// again at pollAt, and its posts are told, in the same transaction.
	// [ErrGone] when it was consumed, expired or closed before.
	FollowHandoff(ctx context.Context, handoffID string, now, pollAt time.Time) error
	// ExpireHandoffs closes up to limit handoffs whose time ran out, those
	// after the cursor in the order of (expires_at, id), and tells their
	// posts. It returns how many, and the cursor behind the last one.
	ExpireHandoffs(ctx context.Context, now time.Time, after Cursor, limit int) (n int, next Cursor, err error)
}

// Cursor is a position in an order by time and id; the zero Cursor stands
// before everything. It is carried from batch to batch within a sweep, so
// that dead index entries at the front are passed only once.
type Cursor struct {
	At time.Time
	ID string
}

// HandoffView is a handoff with what is needed to show it.
type HandoffView struct {
	Handoff Handoff
	Badge   Badge
	// Owned says that the address the badge was issued to is still a
	// verified one of the handoff's member.
	Owned bool
	// Locale is the language of the account that last saw the handoff.
	Locale string
}

// VerificationCounts is how many codes were asked for within a time.
type VerificationCounts struct{ Member, Address, Workspace int }

// LinkStore proves addresses.
type LinkStore interface {
	// Verification returns one, or [ErrNotFound].
	Verification(ctx context.Context, id string) (Verification, error)
	// TakeTry counts one try of the account's verification before its code is
	// compared, so that no more than maxTries are ever compared, however many
	// arrive at once. [ErrGone] when it is used, out of tries, expired or
	// superseded; [ErrNotFound] when it is not the actor's.
	TakeTry(ctx context.Context, id string, actor Identity, maxTries int, now time.Time) (Verification, error)
}

// BadgeStore reads and plans badges.
type BadgeStore interface {
	AwardSink
	// Badge returns one, or [ErrNotFound].
	Badge(ctx context.Context, id string) (Badge, error)
	// BadgeViewFor returns a badge as the given member may see it, or
	// [ErrNotFound].
	BadgeViewFor(ctx context.Context, badgeID, memberID string) (BadgeView, error)
	// DuePolls takes up to limit badges that are to be read again at the
	// provider and moves each one's next reading to now+retry, so that no
	// other replica takes it meanwhile.
	DuePolls(ctx context.Context, now time.Time, limit int, retry time.Duration) ([]Badge, error)
	// DueRefreshes does the same for addresses.
	DueRefreshes(ctx context.Context, now time.Time, limit int, next time.Duration) ([]Email, error)
	// SaveTemplates stores what can be earned.
	SaveTemplates(ctx context.Context, ts []Template, now time.Time) error
}

// PostStore reads posts.
type PostStore interface {
	// Post returns one with its account, or [ErrNotFound].
	Post(ctx context.Context, id string) (Post, error)
}

// ActionStore remembers which interactions were worked off.
type ActionStore interface {
	// StartAction returns true when the interaction is to be worked off: it
	// is new, or an earlier attempt began before now-stale and did not end.
	StartAction(ctx context.Context, key string, now time.Time, stale time.Duration) (bool, error)
	// FinishAction marks it as worked off.
	FinishAction(ctx context.Context, key string, now time.Time) error
	// ReleaseWaiting moves deliveries that wait for a contact with the
	// account to the given place and makes them ready.
	ReleaseWaiting(ctx context.Context, accountID string, at Place, now time.Time) error
	// ForgetPost stops following a message because it now shows something
	// that does not change.
	ForgetPost(ctx context.Context, actor Identity, messageKey string) error
}

// Change is what an observation changed.
type Change struct {
	// Before is the badge as it was; for a badge never seen before its Stage
	// is [StageUnknown] and New is set.
	Before, After Badge
	New           bool
	// Moved says that something a person can see has changed.
	Moved bool
}

// PollPlan says when a badge is read again at the provider.
type PollPlan struct {
	// At is the usual time; zero means never.
	At time.Time
	// Soon is used instead, if earlier, while a followed handoff of the badge
	// is watched: one that was followed after Since.
	Soon, Since time.Time
}

// Tx is what use cases change within one transaction.
type Tx interface {
	CelebrateTx
	DigestTx
	RoleTx
	TaskTx
	// EnsureAccount returns the account of an identity and makes it, with a
	// new member, where it is missing. Empty texts leave what is known.
	EnsureAccount(ctx context.Context, a Account, now time.Time) (Account, error)
	// LockMembers locks the members in one order for all; missing ones are
	// left out of the answer.
	LockMembers(ctx context.Context, ids ...string) ([]string, error)
	// AddressOwner returns the verified address of this normal form, or
	// [ErrNotFound].
	AddressOwner(ctx context.Context, normal string) (Address, error)
	// AddAddress stores a verified address.
	AddAddress(ctx context.Context, a Address) error
	// RemoveAddress takes a verified address from the actor's member and
	// returns it, or [ErrNotFound]. Its open handoffs are closed as failed
	// and their posts told.
	RemoveAddress(ctx context.Context, addressID string, actor Identity, now time.Time) (Address, error)
	// JoinMembers moves every account, address and handoff of from to into
	// and deletes from. What either of them did not want counts from then on,
	// the links to the certificates of both end, and the person is looked at
	// again.
	JoinMembers(ctx context.Context, from, into string, now time.Time) error
	// AccountsOf returns the accounts of a member, last seen first.
	AccountsOf(ctx context.Context, memberID string) ([]Account, error)

	// SaveCustoms changes customs of a team. When it is about reminders,
	// everybody last met there is looked at again: some in this transaction,
	// the others by [RemindStore.Replan].
	SaveCustoms(ctx context.Context, team string, c CustomsChange, now time.Time) error
	// DropCustoms makes everything usual again for a team, in the same way.
	DropCustoms(ctx context.Context, team string, now time.Time) error

	// CountVerifications counts since a time.
	CountVerifications(ctx context.Context, memberID, normal, workspace string, since time.Time) (VerificationCounts, error)
	// AddVerification stores v and supersedes the account's other open ones
	// for the same address, telling the posts of these.
	AddVerification(ctx context.Context, v Verification) error
	// UseVerification marks an open one as used: only if now is before its
	// end, decided by the updating statement. [ErrGone] otherwise.
	UseVerification(ctx context.Context, id string, now time.Time) (Verification, error)

	// SaveObservation stores what the provider says about a badge unless
	// something newer is stored (by At, then ReadAt). The badge is found by
	// the provider's id, else by the award id (ExternalID), else by a granted
	// badge without provider id of the same recipient and template; else it
	// is new. The next reading is planned by plan, also where nothing newer
	// was said.
	SaveObservation(ctx context.Context, o Observation, now time.Time, plan PollPlan) (Change, error)
	// OpenHandoff turns preparing into open with a new end; [ErrUnmet] when
	// it is no longer preparing.
	OpenHandoff(ctx context.Context, id string, now, expiresAt time.Time) error
	// CloseHandoffs moves the handoffs of a badge that are in one of the
	// states from to state to.
	CloseHandoffs(ctx context.Context, badgeID string, from []HandoffState, to HandoffState, now time.Time) error
	// WithdrawAward notes that the body takes an award back. It returns the
	// badge as it is now: withdrawn when it was only granted, otherwise
	// unchanged. An unknown award is remembered as withdrawn, so that a late
	// "granted" does not bring it back. [ErrUnmet] when something newer is
	// known.
	WithdrawAward(ctx context.Context, awardID string, at, now time.Time) (Badge, error)
	// EraseAddress deletes everything personal that belongs to an address
	// and, when it was the member's last, the member with all accounts.
	EraseAddress(ctx context.Context, normal string, now time.Time) error
	// EraseMember deletes the actor's member with all accounts and everything
	// personal that belongs to its addresses. [ErrNotFound] for an unknown
	// actor.
	EraseMember(ctx context.Context, actor Identity, now time.Time) error
	// EraseAccountsOf deletes up to limit accounts of a workspace and returns
	// how many. A member without another account goes with it, as in
	// EraseMember; one with others loses only this one.
	EraseAccountsOf(ctx context.Context, p Platform, tenant string, limit int, now time.Time) (int, error)

	// AddPost follows a message; a post of the same account and message key
	// is taken over. It returns the post's id.
	AddPost(ctx context.Context, p Post, now time.Time) (string, error)
	// Tell queues a delivery for one post. With fallback, a direct message
	// follows where the place is gone.
	Tell(ctx context.Context, postID string, fallback bool, now time.Time) error
	// TellSubject queues deliveries for all posts of a subject; with
	// fallback, for the newest post of each account.
	TellSubject(ctx context.Context, s Subject, fallback bool, now time.Time) error
	// TellBadge does the same for all handoffs of a badge; it returns to how
	// many posts.
	TellBadge(ctx context.Context, badgeID string, fallback bool, now time.Time) (int, error)
	// TellHomes queues deliveries for the homes of a member that were opened in
	// the last days, see [HomeKey].
	// What TellBadge tells, and TellSubject of handoffs, it tells the homes of
	// their people as well.
	TellHomes(ctx context.Context, memberID string, now time.Time) error
	// QueueMail queues the mail of a verification; secret is sealed until it
	// is sent, and wiped then.
	QueueMail(ctx context.Context, verificationID string, secret Secret, now time.Time) error
	// QueueEvent queues an event about a badge for the body's own system.
	QueueEvent(ctx context.Context, t EventType, badgeID, eventID string, now time.Time) error
	// QueueWork stores an inbox item; a second one of the same source and key
	// is dropped.
	QueueWork(ctx context.Context, source, key string, kind WorkKind, payload string, now time.Time) error
	// Audit notes who did what; ids only, no personal data.
	Audit(ctx context.Context, actor, kind, subject string, now time.Time) error
	// Count adds to a counter.
	Count(ctx context.Context, name string, n int64) error
}
