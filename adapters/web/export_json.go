package web

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// jsonFormat names the form of the document; its version is raised when
// something means another thing than before, not when something is added.
const jsonFormat = "laurel.certificates"

type jsonDocument struct {
	Format       string            `json:"format"`
	Version      int               `json:"version"`
	GeneratedAt  time.Time         `json:"generated_at"`
	Certificates []jsonCertificate `json:"certificates"`
}

type jsonCertificate struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Issuer      string `json:"issuer"`
	Certificate struct {
		Number string `json:"number"`
		URL    string `json:"url"`
	} `json:"certificate"`
	// Days as they are in UTC; null where there is none.
	IssuedOn  *string `json:"issued_on"`
	ExpiresOn *string `json:"expires_on"`
	State     string  `json:"state"`
	// Visibility is public, private, or null for what is not accepted.
	Visibility *string `json:"visibility"`
	Advice     string  `json:"advice"`
	BadgePage  *string `json:"badge_page"`
	Elsewhere  bool    `json:"elsewhere"`
}

func writeJSON(w chat.Words, k core.Kept) ([]byte, error) {
	doc := jsonDocument{Format: jsonFormat, Version: 1, GeneratedAt: k.At.UTC().Truncate(time.Second), Certificates: []jsonCertificate{}}
	for _, c := range k.All() {
		one := jsonCertificate{
			ID: c.ID, Name: c.Name, Issuer: c.Issuer, IssuedOn: orNull(isoDay(c.IssuedAt)), ExpiresOn: orNull(isoDay(c.ExpiresAt)),
			State: string(c.Validity), Visibility: orNull(visibility(c)), Advice: w.Advice(c).String(), BadgePage: orNull(c.PageURL),
			Elsewhere: c.Elsewhere,
		}
		one.Certificate.Number, one.Certificate.URL = c.Certificate.Number, certificateURL(c)
		doc.Certificates = append(doc.Certificates, one)
	}
	return indented(doc)
}

func indented(doc any) ([]byte, error) {
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode export: %w", err)
	}
	return append(body, '\n'), nil
}

// orNull is nothing for an empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
