package delivery

import "slices"

// Share is how much of a dispatcher one tenant may have, so that one that
// answers slowly does not hold up the others. The zero Share has no limits.
type Share struct {
	// Each is how many attempts of one tenant may be under way.
	Each int
	// Under is how many of each tenant are under way.
	Under map[string]int
}

// Left is how many deliveries of the tenant may be taken; limited is false
// where that is any number.
func (s Share) Left(tenant string) (n int, limited bool) {
	return max(s.Each-s.Under[tenant], 0), s.Each > 0
}

// Full returns the tenants of which nothing may be taken, in order.
func (s Share) Full() []string {
	var full []string
	if s.Each > 0 {
		for tenant, n := range s.Under {
			if n >= s.Each {
				full = append(full, tenant)
			}
		}
		slices.Sort(full)
	}
	return full
}

// fewLanes are so few that it does not matter when most of them cannot be
// had.
const fewLanes = 16

// most is how many of n to take: not many more than the busiest tenant may
// still have, because all of them may be its own.
func (s Share) most(n int) int {
	most := s.Each
	for _, under := range s.Under {
		if left := s.Each - under; left > 0 {
			most = min(most, max(left, fewLanes))
		}
	}
	return min(n, most)
}
