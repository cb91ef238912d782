package main

import (
	"fmt"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// Linked roles of the playground's server.
const (
	roleCertified = "Certified"
	roleSenior    = "Senior"
)

// seededLevels are the levels of the playground's templates.
func seededLevels() []string {
	return []string{templateAssociate + "=1", templateManager + "=2", templateSenior + "=3", templateProgramme + "=4"}
}

// seedRoles adds linked roles to the playground's server.
func (r *rig) seedRoles() error {
	r.linked = map[string]string{}
	for _, role := range []struct {
		name     string
		requires []discordsim.Requirement
	}{
		{roleCertified, []discordsim.Requirement{{Key: "certified", Value: 1}}},
		{roleSenior, []discordsim.Requirement{{Key: "level", Value: 3}, {Key: "valid_until"}}},
	} {
		id, err := r.discord.AddLinkedRole(r.guild, role.name, role.requires...)
		if err != nil {
			return fmt.Errorf("seed roles: %w", err)
		}
		r.linked[role.name] = id
	}
	return nil
}
