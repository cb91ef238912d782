package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// loadFile reads a settings file: one flat YAML mapping of flag names.
func loadFile(r io.Reader) (kong.Resolver, error) {
	values := fileSettings{}
	err := yaml.NewDecoder(r).Decode(&values)
	var wrongType *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return values, nil
	case errors.As(err, &wrongType):
		// The parser's error quotes what stands there, which may be a secret.
		return nil, errors.New("read settings file: want one setting per line, as name: value")
	case err != nil:
		return nil, fmt.Errorf("read settings file: %w", err)
	}
	for key, v := range values {
		// Flags are parsed from text, so that a file may say 2m or true
		// without quotes. A name without a value leaves the setting as it is.
		if v != nil {
			values[key] = fmt.Sprint(v)
		}
	}
	return values, nil
}
