package slack

import _ "embed"

// Manifest is the description of the app from which it is created at
// api.slack.com/apps, with https://laurel.example.org in place of the public
// URL (https://docs.slack.dev/reference/app-manifest).
//
//go:embed manifest.yaml
var Manifest []byte
