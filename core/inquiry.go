package core

import (
	"context"
	"time"
)

// KeepInquiries is how long at least an inquiry can be found again.
const KeepInquiries = 24 * time.Hour

// InquiryStore remembers for a day what somebody asked to have verified, so
// that a button below the verdict can ask again.
type InquiryStore interface {
	// SaveInquiry stores what was asked, sealed.
	SaveInquiry(ctx context.Context, id, sealed string, now time.Time) error
	// Inquiry returns it, or [ErrNotFound].
	Inquiry(ctx context.Context, id string) (sealed string, err error)
}

// InquiryContext binds a sealed inquiry to its row, see [Keys.Seal].
func InquiryContext(id string) string { return "inquiry " + id }
