'use strict';

// What one would build in place of the bot: Slack's own framework and pg, a
// claim in the usual steps of one transaction, acknowledged after its commit.
// It is a thing to measure beside, not a part of the bot. Its work is that of
// the bot's claim on the bot's own tables, less: no post is stored, no stale
// handoff closed, nothing delivered.
//
// A second server answers Discord's PING with Node's own crypto, to measure
// signatures beside.

const crypto = require('node:crypto');
const http = require('node:http');
const { App, HTTPReceiver, LogLevel } = require('@slack/bolt');
const { Pool } = require('pg');

const env = process.env;
const handoffLife = Number(env.PEER_HANDOFF_MS);
const maxBody = 256 * 1024;

const pool = new Pool({ connectionString: env.PEER_DATABASE_URL, max: 16 });
// Without a listener the process dies when the server restarts.
pool.on('error', (err) => console.error('idle connection:', err.message));

async function claim(actor, badgeId, responseUrl) {
  const client = await pool.connect();
  try {
    const now = Date.now();
    await client.query('BEGIN');
    const badge = await client.query('SELECT stage, recipient FROM badges WHERE id = $1 FOR UPDATE', [badgeId]);
    if (badge.rowCount === 0 || badge.rows[0].stage !== 'pending') {
      await client.query('ROLLBACK');
      return false;
    }
    const owner = await client.query(
      `SELECT a.member_id FROM accounts a JOIN addresses d ON d.member_id = a.member_id
       WHERE a.platform = 'slack' AND a.tenant = $1 AND a.user_id = $2 AND d.normal = $3`,
      [actor.team, actor.user, badge.rows[0].recipient],
    );
    if (owner.rowCount === 0) {
      await client.query('ROLLBACK');
      return false;
    }
    const member = owner.rows[0].member_id;
    const handoff = await client.query(
      `INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
       VALUES ($1, $2, $3, 'open', $4, $5) RETURNING id`,
      [crypto.randomUUID(), badgeId, member, now, now + handoffLife],
    );
    await client.query(
      `INSERT INTO audit (at, actor, kind, subject) VALUES ($1, $2, 'badge.claim', $3)`,
      [now, member, badgeId],
    );
    const lane = `slack:${actor.team}:${actor.user}`;
    await client.query(
      `INSERT INTO lanes (lane, platform, tenant, next_at, active) VALUES ($1, 'slack', $2, $3, true)
       ON CONFLICT (lane) DO UPDATE SET active = true, next_at = excluded.next_at`,
      [lane, actor.team, now],
    );
    await client.query(
      `INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
       VALUES ($1, 'post', $2, $3, $4, true, 'ready', $5, $5)`,
      [lane, handoff.rows[0].id, JSON.stringify({ response_url: responseUrl }), crypto.randomUUID(), now],
    );
    await client.query('COMMIT');
    return true;
  } catch (err) {
    await client.query('ROLLBACK').catch(() => {});
    throw err;
  } finally {
    client.release();
  }
}

const receiver = new HTTPReceiver({
  signingSecret: env.PEER_SIGNING_SECRET,
  endpoints: ['/slack/interactions'],
  logLevel: LogLevel.ERROR,
});
const app = new App({
  receiver,
  // The ids spare it from asking Slack who it is.
  authorize: async () => ({ botToken: 'xoxb-bench', botId: 'B0BENCH001', botUserId: 'U0BENCH001' }),
  clientOptions: { slackApiUrl: env.PEER_SLACK_API_URL },
  logLevel: LogLevel.ERROR,
});

app.action(/^claim:/, async ({ ack, action, body }) => {
  const done = await claim({ team: body.team.id, user: body.user.id }, action.value.slice('claim:'.length), body.response_url);
  if (!done) {
    throw new Error('claim refused');
  }
  await ack();
});

app.action('unknown', async ({ ack }) => {
  await ack();
});

app.error(async (err) => {
  console.error('request failed:', err.message);
});

const discordKey = crypto.createPublicKey({
  key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(env.PEER_DISCORD_KEY, 'hex')]),
  format: 'der',
  type: 'spki',
});

const discord = http.createServer((req, res) => {
  const parts = [];
  let size = 0;
  req.on('data', (part) => {
    size += part.length;
    if (size > maxBody) {
      req.destroy();
      return;
    }
    parts.push(part);
  });
  req.on('end', () => {
    const body = Buffer.concat(parts);
    const signed = Buffer.concat([Buffer.from(req.headers['x-signature-timestamp'] || ''), body]);
    const signature = Buffer.from(req.headers['x-signature-ed25519'] || '', 'hex');
    if (signature.length !== 64 || !crypto.verify(null, signed, discordKey, signature)) {
      res.writeHead(401).end();
      return;
    }
    const interaction = JSON.parse(body);
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ type: interaction.type === 1 ? 1 : 6 }));
  });
});

async function main() {
  await app.start({ port: Number(env.PEER_SLACK_PORT), host: '127.0.0.1' });
  await new Promise((resolve) => discord.listen(Number(env.PEER_DISCORD_PORT), '127.0.0.1', resolve));
  console.log('ready');
}

process.on('SIGTERM', () => process.exit(0));
main().catch((err) => {
  console.error(err);
  process.exit(1);
});
