package core

import (
	"context"
	"errors"
	"time"
)

// ErrRoleClient says that the platform does not take the application's own
// credentials, or that there are none: only the operator can mend that.
var ErrRoleClient = errors.New("client secret is missing or was refused")

// RoleTokens let the bot act for a person at the platform that gives roles.
type RoleTokens struct {
	Access, Refresh Secret
	// EndsAt is when Access ends.
	EndsAt time.Time
}

// RoleLink speaks with a platform that gives roles, in the name of people who
// agreed to it. [ErrGone] says that the platform does not take the code or the
// token any more, [ErrRoleClient] that the operator has to mend something;
// other errors are a [DeliveryError] where their class is known. All but
// Exchange, Refresh and Revoke work without the application's credentials.
type RoleLink interface {
	// AuthorizeURL is where a person agrees; state comes back with them.
	AuthorizeURL(state string) string
	// Exchange makes tokens of the code with which a person came back. It also
	// refuses those that do not allow what is needed.
	Exchange(ctx context.Context, code string) (RoleTokens, error)
	// Refresh makes new tokens; the former ones are void after that.
	Refresh(ctx context.Context, t RoleTokens) (RoleTokens, error)
	// Owner says whose tokens they are.
	Owner(ctx context.Context, t RoleTokens) (Identity, error)
	// Tell makes these the facts about the person.
	Tell(ctx context.Context, t RoleTokens, f RoleFacts) error
	// Withdraw takes back all that was told.
	Withdraw(ctx context.Context, t RoleTokens) error
	// Revoke makes the tokens void.
	Revoke(ctx context.Context, t RoleTokens) error
}

// RoleConnection is what a person agreed to, with what was made of it.
type RoleConnection struct {
	ID string
	// Identity is whose it is; its User is empty once the person is forgotten.
	Identity Identity
	// MemberID is the member with that identity, or empty.
	MemberID string
	Tokens   RoleTokens
	// Unreadable says that there are tokens which no key opens.
	Unreadable bool
	// Ending says that what was told is to be taken back. Since is when that,
	// or otherwise the connection, began.
	Ending bool
	Since  time.Time
	// Told names the facts that were told last, at ToldAt; empty for none.
	Told   string
	ToldAt time.Time
	// Failures counts attempts since the last good one.
	Failures int
	// Revision and Wanted tell what changed since it was taken.
	Revision, Wanted int64
}

// RoleOutcome is what is stored of a look at a connection.
type RoleOutcome struct {
	Connection RoleConnection
	// Told and ToldAt are as from now on.
	Told     string
	ToldAt   time.Time
	Failures int
	// Next is when to look again.
	Next time.Time
}

// RoleStanding is how a person's connection stands.
type RoleStanding struct {
	Since time.Time
	// ToldAt is when the platform was told last, or zero.
	ToldAt time.Time
}

// RoleStore keeps connections.
type RoleStore interface {
	// ConnectRoles stores a connection, in place of an earlier one of the same
	// identity, and has it looked at. It returns its id.
	ConnectRoles(ctx context.Context, id Identity, t RoleTokens, now time.Time) (string, error)
	// RoleStanding returns how the connection of an identity stands, or
	// [ErrNotFound]; one that is ending counts as none.
	RoleStanding(ctx context.Context, id Identity) (RoleStanding, error)
	// TakeRoles takes up to limit connections whose time has come, and keeps
	// them from being taken again before the end of the lease. With only, it
	// takes that one alone.
	TakeRoles(ctx context.Context, now, lease time.Time, limit int, only string) ([]RoleConnection, error)
	// NewerRoles reports whether the owner has a connection that stands and is
	// not c, or is c and was made again since c was taken.
	NewerRoles(ctx context.Context, c RoleConnection, owner Identity) (bool, error)
	// SaveRoleTokens stores new tokens of a connection that was taken, before
	// anybody uses them. [ErrUnmet] when it was taken by somebody else, or
	// changed, since.
	SaveRoleTokens(ctx context.Context, c RoleConnection, t RoleTokens) error
	// FinishRoles gives a connection back. One that somebody wants to be looked
	// at since it was taken stays due. It does nothing for one that was taken
	// by somebody else, or changed, since.
	FinishRoles(ctx context.Context, o RoleOutcome) error
}

// RoleTx changes connections within a transaction.
type RoleTx interface {
	// DisconnectRoles lets the connection of an identity end: what was told is
	// taken back. [ErrNotFound] when there is none.
	DisconnectRoles(ctx context.Context, id Identity, now time.Time) error
	// DropRoles deletes a connection that was taken. [ErrUnmet] when it was
	// taken by somebody else, or changed, since.
	DropRoles(ctx context.Context, c RoleConnection) error
	// RetellRoles has the connection of an identity told anew, if there is one
	// that does not end.
	RetellRoles(ctx context.Context, id Identity, now time.Time) error
}
