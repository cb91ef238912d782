package main

import "github.com/laurelbot/laurel/core"

// newCertificates shows people what they earned, also elsewhere where that is
// allowed.
func (a *app) newCertificates(keys *core.Keys) *core.Certificates {
	c := &core.Certificates{Store: a.db, Clock: a.clock, Keys: keys, Provider: a.credly, Log: a.log}
	if a.settings.CredlyPublicProfiles {
		c.Profiles = a.credly
	}
	return c
}
