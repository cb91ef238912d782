package web

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

// archiveFormat names the form of the index of an archive.
const archiveFormat = "laurel.openbadges"

type archiveIndex struct {
	Format      string         `json:"format"`
	Version     int            `json:"version"`
	GeneratedAt time.Time      `json:"generated_at"`
	Badges      []archiveEntry `json:"badges"`
}

type archiveEntry struct {
	Name      string  `json:"name"`
	Issuer    string  `json:"issuer"`
	Number    string  `json:"certificate_number"`
	IssuedOn  *string `json:"issued_on"`
	ExpiresOn *string `json:"expires_on"`
	State     string  `json:"state"`
	BadgePage *string `json:"badge_page"`
	// Assertion is where the provider hosts it, File where it lies in the
	// archive, Missing why it does not.
	Assertion *string `json:"assertion"`
	File      *string `json:"file"`
	Missing   *string `json:"missing"`
}

// writeArchive puts the hosted assertions of public badges, each as its
// provider serves it, and an index of everything into one file. What is not
// public stands in the index alone. Whoever verifies an assertion asks its own
// address again: the copy shows what was there.
func writeArchive(at time.Time, all []core.Credential, found []core.Assertion) ([]byte, error) {
	index := archiveIndex{Format: archiveFormat, Version: 1, GeneratedAt: at.UTC().Truncate(time.Second), Badges: []archiveEntry{}}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, body []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: index.GeneratedAt})
		if err == nil {
			_, err = f.Write(body)
		}
		if err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
		return nil
	}
	for i, c := range all {
		e := archiveEntry{
			Name: c.Name, Issuer: c.Issuer, Number: c.Certificate.Number, IssuedOn: orNull(isoDay(c.IssuedAt)),
			ExpiresOn: orNull(isoDay(c.ExpiresAt)), State: string(c.Validity), BadgePage: orNull(c.PageURL),
			Assertion: orNull(found[i].URL), Missing: orNull(string(found[i].Missing)),
		}
		if found[i].Document != nil {
			name := "assertions/" + strconv.Itoa(i+1) + ".json"
			if err := add(name, found[i].Document); err != nil {
				return nil, err
			}
			e.File = &name
		}
		index.Badges = append(index.Badges, e)
	}
	body, err := indented(index)
	if err != nil {
		return nil, err
	}
	if err := add("index.json", body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("write archive: %w", err)
	}
	return b.Bytes(), nil
}
