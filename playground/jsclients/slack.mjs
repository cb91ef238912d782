// Slack's own clients, unchanged, driven by the tests. Of their options only
// documented ones are set: where the Web API is, and how soon to try again.
import { LogLevel, SocketModeClient } from '@slack/socket-mode';
import slack from '@slack/web-api';
import { emit, serve } from './lines.mjs';

const { WebClient, WebClientEvent, retryPolicies } = slack;
const { SLACK_API_URL: slackApiUrl, SLACK_BOT_TOKEN: token, SLACK_APP_TOKEN: appToken } = process.env;
const options = { slackApiUrl, logLevel: LogLevel.ERROR, retryConfig: retryPolicies.rapidRetryPolicy };
// Logs would be lines between the lines.
const logger = {
  debug() {}, info() {}, warn() {}, error: (...words) => console.error(...words),
  setLevel() {}, getLevel: () => LogLevel.ERROR, setName() {},
};

const web = new WebClient(token, { ...options, logger });
web.on(WebClientEvent.RATE_LIMITED, (seconds, { url }) => emit('rate_limited', { seconds, url }));

// A short ping timeout makes it reconnect soon, because it waits that long
// before; a busy machine has to answer pings within it.
const socket = new SocketModeClient({ appToken, logger, clientPingTimeout: 1500, clientOptions: { ...options, logger } });
for (const state of ['authenticated', 'connected', 'reconnecting', 'disconnected']) {
  socket.on(state, () => emit(state));
}
const acks = new Map();
socket.on('slack_event', ({ ack, envelope_id, type, body, accepts_response_payload, retry_num, retry_reason }) => {
  acks.set(envelope_id, ack);
  emit('envelope', { envelope_id, type, body, accepts_response_payload, retry_num, retry_reason });
});

const find = (client, method) => method.split('.').reduce((at, name) => at[name], client);

serve(
  {
    web: (method, args) => find(web, method)(args ?? {}),
    webAs: (otherToken, method, args) => find(new WebClient(otherToken, { ...options, logger }), method)(args),
    pages: async (method, args, field) => {
      const pages = [];
      for await (const page of web.paginate(method, args)) pages.push(page[field]);
      return pages;
    },
    upload: ({ data, ...args }) => web.filesUploadV2({ ...args, file: Buffer.from(data, 'base64') }),
    start: async () => ({ url: (await socket.start()).url }),
    stop: () => socket.disconnect(),
    ack: (id, payload) => acks.get(id)(payload ?? undefined),
  },
  (error) => ({
    code: error.code ?? '', data: error.data ?? null, status: error.statusCode ?? 0, retryAfter: error.retryAfter ?? 0,
  }),
  () => socket.disconnect(),
);
