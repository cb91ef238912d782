// discord.js, unchanged, driven by the tests. Of its options only a documented
// one is set beside the intents: where the REST API is. The gateway's address
// is what that API says.
import { ApplicationCommandOptionType, Client, DiscordAPIError, Events, GatewayIntentBits, RESTEvents } from 'discord.js';
import { emit, serve } from './lines.mjs';

const { DISCORD_API: api } = process.env;
const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages],
  rest: { api, timeout: 10_000, rejectOnRateLimit: null },
});

client.on(Events.ClientReady, () => emit('ready', {
  user: client.user.id, application: client.application.id,
  guilds: client.guilds.cache.map((g) => ({
    id: g.id, name: g.name, available: g.available, locale: g.preferredLocale,
    channels: g.channels.cache.map((c) => ({ id: c.id, name: c.name, type: c.type })),
  })),
}));
client.on(Events.ShardReconnecting, (shard) => emit('reconnecting', { shard }));
client.on(Events.ShardResume, (shard, replayed) => emit('resumed', { shard, replayed }));
client.on(Events.ShardReady, (shard) => emit('shard_ready', { shard }));
client.on(Events.ShardDisconnect, ({ code }) => emit('disconnect', { code }));
client.on(Events.GuildCreate, (g) => emit('guild_create', { id: g.id, name: g.name }));
client.on(Events.ChannelCreate, (c) => emit('channel_create', { id: c.id, name: c.name }));
client.on(Events.MessageCreate, (m) => emit('message', {
  id: m.id, channel: m.channelId, content: m.content, author: m.author.id, attachments: m.attachments.map((a) => a.toJSON()),
}));
client.on(Events.Error, (error) => emit('client_error', { message: error.message }));
client.rest.on(RESTEvents.RateLimited, (d) => emit('rate_limited', {
  global: d.global, limit: d.limit, method: d.method, route: d.route, scope: d.scope, timeToReset: d.timeToReset,
}));
client.rest.on(RESTEvents.InvalidRequestWarning, (d) => emit('invalid_requests', d));

const options = (list = []) => list.map(({ name, type, value, options: nested }) => ({
  name, type: ApplicationCommandOptionType[type], value, options: nested && options(nested),
}));
const interactions = new Map();
client.on(Events.InteractionCreate, (i) => {
  interactions.set(i.id, i);
  const data = {
    id: i.id, kind: i.constructor.name, user: i.user.id, name: i.user.username, channel: i.channelId, guild: i.guildId,
    locale: i.locale, guildLocale: i.guildLocale, inGuild: i.inCachedGuild(), context: i.context,
    permissions: i.appPermissions?.toArray() ?? [], customId: i.customId,
  };
  if (i.isChatInputCommand()) {
    data.command = i.commandName;
    data.subcommand = i.options.getSubcommand(false);
    data.options = options(i.options.data);
  } else if (i.isAutocomplete()) {
    data.command = i.commandName;
    data.focused = i.options.getFocused(true);
  } else if (i.isModalSubmit()) {
    data.fields = Object.fromEntries([...i.fields.fields.values()].map((f) => [f.customId, f.value ?? f.values]));
    data.message = i.message?.id ?? null;
  } else if (i.isMessageComponent()) {
    data.component = i.component?.type ?? null;
    data.values = i.values ?? [];
    data.message = i.message.id;
  }
  emit('interaction', data);
});

const plain = (v) => {
  if (v?.interaction !== undefined && v?.resource !== undefined) return { message: plain(v.resource?.message) };
  if (v?.content === undefined || v?.id === undefined) return null;
  return {
    id: v.id, channel: v.channelId, content: v.content, author: v.author?.id, flags: v.flags?.bitfield ?? 0,
    edited: v.editedTimestamp !== null, components: v.components.map((c) => c.toJSON()), embeds: v.embeds.map((e) => e.toJSON()),
  };
};
const command = (c) => ({ id: c.id, name: c.name, guild: c.guildId, description: c.description, options: c.options.length });
const commands = (guild) => (guild ? client.guilds.cache.get(guild).commands : client.application.commands);

serve(
  {
    login: async (token) => void (await client.login(token)),
    me: () => ({ user: client.user.id, guilds: [...client.guilds.cache.keys()], ready: client.isReady() }),
    setCommands: async (list, guild) => [...(await commands(guild).set(list)).values()].map(command),
    createCommand: async (data, guild) => command(await commands(guild).create(data)),
    fetchCommands: async (guild) => [...(await commands(guild).fetch()).values()].map(command),
    deleteCommand: async (id, guild) => void (await commands(guild).delete(id)),
    // interact calls a method of an interaction that was seen.
    interact: async (id, method, ...args) => plain(await interactions.get(id)[method](...args)),
    send: async (channel, payload) => plain(await (await client.channels.fetch(channel)).send(payload)),
    // sendFile sends a file, the content of which comes in Base64.
    sendFile: async (channel, payload, { data, ...file }) => plain(await (await client.channels.fetch(channel)).send({
      ...payload, files: [{ ...file, attachment: Buffer.from(data, 'base64') }],
    })),
    sendTo: async (user, payload) => plain(await (await client.users.fetch(user)).send(payload)),
    edit: async (channel, message, payload) => plain(await (await client.channels.fetch(channel)).messages.edit(message, payload)),
    remove: async (channel, message) => void (await (await client.channels.fetch(channel)).messages.delete(message)),
    history: async (channel, query) => [...(await (await client.channels.fetch(channel)).messages.fetch(query)).values()].map(plain),
    channel: async (id) => { const c = await client.channels.fetch(id, { force: true }); return { id: c.id, type: c.type }; },
    get: (path) => client.rest.get(path),
  },
  (error) => ({
    code: error.code ?? '', status: error.status ?? 0, errors: error instanceof DiscordAPIError ? (error.rawError?.errors ?? null) : null,
  }),
  () => client.destroy(),
);
