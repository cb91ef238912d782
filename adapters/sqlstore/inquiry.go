package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// SaveInquiry implements [core.InquiryStore].
func (d *DB) SaveInquiry(ctx context.Context, id, sealed string, now time.Time) error {
	_, err := d.run().exec(ctx, `INSERT INTO inquiries (id, sealed, created_at) VALUES (?, ?, ?)`, clean(id), clean(sealed), ms(now))
	return err
}

// Inquiry implements [core.InquiryStore].
func (d *DB) Inquiry(ctx context.Context, id string) (string, error) {
	var sealed string
	err := d.run().get(ctx, &sealed, `SELECT sealed FROM inquiries WHERE id = ?`, clean(id))
	return sealed, err
}

var _ core.InquiryStore = (*DB)(nil)
