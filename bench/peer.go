package main

import (
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The peer is what one would build in place of the bot. Its packages are
// installed beside the measurement, never into the source tree.
var (
	//go:embed peer/package.json
	peerPackage []byte
	//go:embed peer/package-lock.json
	peerLock []byte
	//go:embed peer/peer.js
	peerProgram []byte
)

// installWithin limits fetching the peer's packages.
const installWithin = 2 * time.Minute

// peer is the running peer.
type peer struct {
	*service
	slack, discord string
}

// installPeer fetches the peer's pinned packages into a folder of its own.
func installPeer(ctx context.Context, folder string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, installWithin)
	defer cancel()
	folder = filepath.Join(folder, "peer")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	for name, data := range map[string][]byte{"package.json": peerPackage, "package-lock.json": peerLock, "peer.js": peerProgram} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			return "", fmt.Errorf("write peer: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install peer: %w: %s", err, out)
	}
	return folder, nil
}

// startPeer starts the peer as one would run it in production.
func startPeer(ctx context.Context, folder string, s settings, dsn string, logs io.Writer) (*peer, error) {
	p := &peer{}
	var err error
	if p.slack, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if p.discord, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	port := func(address string) string {
		_, port, _ := net.SplitHostPort(address)
		return port
	}
	cmd := exec.Command("node", "peer.js") //nolint:noctx // It is to be stopped by a signal, not killed.
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "NODE_ENV=production",
		"PEER_DATABASE_URL="+dsn, "PEER_SIGNING_SECRET="+signSecret, "PEER_SLACK_API_URL="+s.sink+"/api/",
		"PEER_SLACK_PORT="+port(p.slack), "PEER_DISCORD_PORT="+port(p.discord),
		"PEER_DISCORD_KEY="+hex.EncodeToString(s.discord), fmt.Sprintf("PEER_HANDOFF_MS=%d", handoffLife.Milliseconds()))
	p.service, err = launch(ctx, "peer", cmd, logs, func(ctx context.Context) bool {
		return listens(ctx, p.slack) && listens(ctx, p.discord)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}
