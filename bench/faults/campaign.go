package main

// campaign lists every fault.
func campaign() []numbered {
	return []numbered{
		{"F1", true, samePress{}},
		{"F2", true, race{}},
		{"F3", true, killed{}},
		{"F4", true, restarted{}},
		{"F5", true, frozen{}},
		{"F6", true, cut{}},
		{"F7", true, locked{}},
		{"F8", true, repeated{}},
		{"F9", false, reordered{}},
		{"F10", false, slackRefuses{}},
		{"F11", false, discordRefuses{}},
		{"F12", true, sentUnknown{}},
		{"F13", false, slowWorkspace{}},
		{"F14", false, hotLane{}},
		{"F15", false, stoppedScheduler{}},
		{"F16", false, oldSnapshot{}},
		{"F17", false, skewed{}},
		{"F18", true, signatures{}},
		{"F19", true, replayed{}},
		{"F20", true, slowLoris{}},
		{"F21", true, fuzzed{}},
		{"F22", true, codes{}},
		{"F23", true, foreign{}},
		{"F24", false, gone{}},
		{"F24s", false, refreshed{}},
		{"F24g", false, resumed{}},
		{"F25", true, terminated{}},
		{"R1", false, rolling{}},
	}
}
