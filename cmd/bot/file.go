package main

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// loadFile reads a settings file: one flat YAML mapping of flag names.
func loadFile(r io.Reader) (kong.Resolver, error) {
	values := fileSettings{}
	if err := yaml.NewDecoder(r).Decode(&values); err != nil {
		return nil, fmt.Errorf("read settings file: %w", err)
	}
	for key, v := range values {
		// Flags are parsed from text, so that a file may say 2m or true
		// without quotes.
		values[key] = fmt.Sprint(v)
	}
	return values, nil
}
