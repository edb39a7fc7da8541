import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageBytes } from "./contender.ts";
import type { Channel, Contender } from "./contender.ts";
import { connectMqtt } from "./mqtt.ts";
import type { MqttClient } from "./mqtt.ts";
import { findProgram, startPeer } from "./process.ts";
import type { PeerProcess } from "./process.ts";
import { connectXmpp } from "./xmpp.ts";
import type { XmppClient } from "./xmpp.ts";

const conference = "conference.localhost";
const libraries = "/usr/lib/x86_64-linux-gnu";

/** The version of a Debian package; undefined where it is not installed. */
export function installedVersion(name: string): string | undefined {
  const { status, stdout } = spawnSync("dpkg-query", ["-W", "-f", "${Version}", name], { encoding: "utf8" });
  return status === 0 && stdout !== "" ? stdout : undefined;
}

/** Mosquitto, QoS 1 both ways, nothing on disk. */
export async function startMosquitto(version: string): Promise<Contender> {
  const server = await startPeer((folder, port) => {
    const lines = [
      `listener ${String(port)} 127.0.0.1`,
      "allow_anonymous true",
      "persistence false",
      "user root",
      "log_type error",
      "set_tcp_nodelay true",
    ];
    writeFileSync(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    return { command: findProgram("mosquitto") ?? "mosquitto", args: ["-c", join(folder, "mosquitto.conf")] };
  });
  const open = new Set<MqttClient>();
  const newClient = async (): Promise<MqttClient> => {
    const client = await connectMqtt(server.port, randomBytes(8).toString("hex"));
    open.add(client);
    return client;
  };
  const channelOf = async (receivers: number): Promise<Channel> => {
    const topic = randomBytes(8).toString("hex");
    const sender = await newClient();
    const clients = await Promise.all(Array.from({ length: receivers }, newClient));
    await Promise.all(clients.map((client) => client.subscribe(topic)));
    // Each message comes to all, and is acknowledged to its sender.
    const { channel, arrived } = counted(receivers + 1);
    for (const client of clients) client.onMessage = arrived;
    sender.onAcknowledged = arrived;
    return Object.assign(channel, { send: () => sender.publish(topic, randomBytes(messageBytes)) });
  };
  return contenderOf({
    label: `mosquitto ${version} (QoS 1, not stored)`,
    server,
    open,
    openPair: () => channelOf(1),
    openRoom: (members) => channelOf(members - 1),
  });
}

/** ejabberd without archive: nothing on disk, and nobody is told who comes and goes, which only makes rooms slow to fill. */
export async function startEjabberd(version: string): Promise<Contender> {
  const server = await startPeer((folder, port) => {
    writeFileSync(
      join(folder, "ejabberd.yml"),
      `hosts: [localhost]
loglevel: error
auth_method: [anonymous]
anonymous_protocol: sasl_anon
allow_multiple_connections: true
listen:
  - port: ${String(port)}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    shaper: none
    access: all
modules:
  mod_muc:
    max_users: 1000
    max_user_conferences: 1000
    history_size: 0
    default_room_options: { max_users: 1000, presence_broadcast: [] }
`,
    );
    mkdirSync(join(folder, "spool"));
    const program = readdirSync(libraries).find((name) => name === `ejabberd-${version.replace(/-.*/, "")}`) ?? "ejabberd";
    const args = ["-noinput", "-pa", join(libraries, program, "ebin"), "-mnesia", "dir", `"${join(folder, "spool")}"`, "-s", "ejabberd"];
    return {
      command: findProgram("erl") ?? "erl",
      args,
      environment: {
        EJABBERD_CONFIG_PATH: join(folder, "ejabberd.yml"),
        EJABBERD_LOG_PATH: join(folder, "ejabberd.log"),
        ERL_LIBS: libraries,
        HOME: folder,
      },
    };
  });
  return xmppContender(`ejabberd ${version} (not stored)`, server);
}

/** Prosody without archive: nothing on disk. */
export async function startProsody(version: string): Promise<Contender> {
  const server = await startPeer((folder, port) => {
    chmodSync(folder, 0o777);
    writeFileSync(
      join(folder, "prosody.cfg.lua"),
      `run_as_root = true
data_path = "${folder}"
pidfile = "${folder}/prosody.pid"
modules_enabled = { "saslauth" }
modules_disabled = { "s2s", "tls", "offline" }
c2s_ports = { ${String(port)} }
interfaces = { "127.0.0.1" }
c2s_require_encryption = false
c2s_direct_tls_ports = { }
http_ports = { }
https_ports = { }
s2s_ports = { }
log = { error = "*console" }
VirtualHost "localhost"
  authentication = "anonymous"
Component "${conference}" "muc"
  muc_room_locking = false
  muc_room_default_presence_broadcast = { visitor = false; participant = false; moderator = false }
  max_history_messages = 0
`,
    );
    return { command: findProgram("prosody") ?? "prosody", args: ["-F", "--config", join(folder, "prosody.cfg.lua")] };
  });
  return xmppContender(`prosody ${version} (not stored)`, server);
}

function xmppContender(label: string, server: PeerProcess): Contender {
  const open = new Set<XmppClient>();
  const newClient = async (): Promise<XmppClient> => {
    const client = await connectXmpp(server.port);
    open.add(client);
    return client;
  };
  // The content as ours has it on the wire: so many bytes, of letters.
  const content = (): string => randomBytes((messageBytes * 3) / 4).toString("base64");
  return contenderOf({
    label,
    server,
    open,
    async openPair() {
      const [sender, receiver] = [await newClient(), await newClient()];
      const { channel, arrived } = counted(1);
      receiver.onMessage = arrived;
      return Object.assign(channel, {
        send: () => sender.send(`<message to='${receiver.jid}' type='chat'><body>${content()}</body></message>`),
      });
    },
    async openRoom(members) {
      const room = `${randomBytes(8).toString("hex")}@${conference}`;
      const clients: XmppClient[] = [];
      for (let index = 0; index < members; index++) {
        const client = await newClient();
        client.send(`<presence to='${room}/p${String(index)}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
        await client.heard("<subject");
        clients.push(client);
      }
      // A room's message comes to its sender too.
      const { channel, arrived } = counted(members);
      for (const client of clients) client.onMessage = arrived;
      const [sender] = clients;
      return Object.assign(channel, {
        send: () => sender?.send(`<message to='${room}' type='groupchat'><body>${content()}</body></message>`),
      });
    },
  });
}

/** Each message has to arrive so often: all of a window's, before the next is counted. */
function counted(arrivals: number): { channel: { onDelivered: () => void }; arrived: () => void } {
  const channel = { onDelivered: (): void => undefined };
  let count = 0;
  const arrived = (): void => {
    count += 1;
    if (count % arrivals === 0) channel.onDelivered();
  };
  return { channel, arrived };
}

function contenderOf(params: {
  label: string;
  server: PeerProcess;
  open: Set<{ close(): void }>;
  openPair: () => Promise<Channel>;
  openRoom: (members: number) => Promise<Channel>;
}): Contender {
  const { label, server, open, openPair, openRoom } = params;
  return {
    label,
    cpuSeconds: () => server.cpuSeconds(),
    async openPairs(count) {
      const channels: Channel[] = [];
      for (let index = 0; index < count; index++) channels.push(await openPair());
      return channels;
    },
    openRoom,
    hangUp() {
      for (const client of open) client.close();
      open.clear();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
