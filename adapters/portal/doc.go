// Package portal connects the certification body's own system: it takes in
// the body's decisions, by signed webhook or by file, and tells the body's
// system what became of the badges.
//
// Webhooks in both directions are signed by the Standard Webhooks
// specification, https://github.com/standard-webhooks/standard-webhooks.
package portal
