import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { ClientEvent } from "../api.ts";
import { OwnStates } from "../devices/own-states.ts";
import type { OwnChange } from "../devices/own-states.ts";
import { Alarms } from "../directory/alarms.ts";
import { JoinLinks } from "../join-links/join-links.ts";
import { profileKey } from "../own/facts.ts";
import { OwnThings } from "../own/own-things.ts";
import { Pictures } from "../pictures/pictures.ts";
import type { Platform } from "../platform/platform.ts";
import { Receipts } from "../receipts/receipts.ts";
import { SegmentNews } from "../search/segment-news.ts";
import type { Store } from "../store/store.ts";
import { PeerTokens } from "../wakes/peer-tokens.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { AppendSecrets } from "./append-secrets.ts";
import { CatchUpProgress } from "./catch-up.ts";
import { Engine } from "./engine.ts";
import type { EngineParts } from "./engine.ts";
import { followProfile } from "./own-profile.ts";
import { People } from "./people.ts";
import { Posts } from "./posts.ts";
import { Standings } from "./standings.ts";
import { Watch } from "./watch.ts";
import { SureClock } from "./sure-clock.ts";
import type { World } from "./world.ts";

/** What there is of a client once its profile has an account. */
export interface OpenedAccount {
  readonly states: OwnStates;
  readonly alarms: Alarms;
  readonly people: People;
  readonly watch: Watch;
  /** The person is shown by the name that they chose, here or on another device of theirs, and their conversations are told. */
  followProfile(): Promise<void>;
  /** Runs the conversations, and connects. */
  startEngine(params: Pick<EngineParts, "policy" | "isVisit">): Promise<Engine>;
}

/**
 * Brings to hand what the store has of an account, and joins its parts. Loaded with the first account: nothing of it is of use before.
 * @throws ClientError of the store
 */
export async function openAccount(params: {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Directory;
  readonly own: OwnAccount;
  readonly emit: (event: ClientEvent) => void;
  /** The account has changed, here or by another device. */
  readonly onChange: (change: OwnChange) => void;
  /** The person goes by another name. */
  readonly onNamed: (own: OwnAccount) => void;
}): Promise<OpenedAccount> {
  const { store, platform, connections, directory, own, emit, onChange, onNamed } = params;
  let engine: Engine | undefined;
  const states = new OwnStates({ store, platform, connections, directory, own, onChange });
  const shared = {
    store,
    platform,
    connections,
    directory,
    get own() {
      return states.own;
    },
  };
  const alarms = new Alarms({ store, platform, emit });
  await alarms.load();
  const standings = new Standings(shared);
  await standings.load();
  const ownThings = new OwnThings(shared);
  await ownThings.load();
  const receipts = new Receipts();
  await receipts.load(store);
  const joinLinks = new JoinLinks(store);
  await joinLinks.load();
  const peerTokens = new PeerTokens(store);
  await peerTokens.load(platform.nowMs());
  const people = new People({
    store,
    directory,
    standings,
    get own() {
      return states.own;
    },
  });
  await people.prepare();
  people.onRenamed((renamed) => emit({ kind: "people", people: renamed }));
  const appendSecrets = new AppendSecrets(shared);
  await appendSecrets.load();
  const posts = new Posts({
    ...shared,
    appendSecrets,
    alarms,
    get own() {
      return states.own;
    },
  });
  const catchUp = new CatchUpProgress({ nowMs: platform.nowMs, tell: (progress) => emit({ kind: "catch_up", progress }) });
  const world: World = {
    ...shared,
    get own() {
      return states.own;
    },
    people,
    posts,
    standings,
    appendSecrets,
    ownThings,
    receipts,
    segments: new SegmentNews(),
    files: {
      gone: (ids) => engine?.files.gone(ids),
      waiting: (state) => engine?.files.waiting(state),
      missing: (id, entryId) => engine?.files.missing(id, entryId),
    },
    joinLinks,
    peerTokens,
    wakeOthers: (id, wake) => engine?.wakes.waking.sent(id, wake),
    tellWake: (id) => engine?.wakes.telling.tend(id),
    alarms,
    get pictures() {
      return pictures;
    },
    clock: new SureClock(),
    get watch() {
      return watch;
    },
    emit,
    refreshOwn: () => states.refresh(),
    syncArrived: () => engine?.devices.told.arrived(),
    asked: (id, query) => engine?.asked(id, query),
    readOn: (state) => catchUp.moved(state),
    heardFrom: (id, accountId) => engine?.heardFrom(id, accountId),
    timed: () => engine?.timed(),
    historyMoves: () => engine?.historyMoves(),
  };
  const pictures = new Pictures(world);
  const watch = new Watch(world);
  await watch.load();
  const follow = async (): Promise<void> => {
    const named = await followProfile(ownThings, states);
    if (named !== undefined) {
      onNamed(named);
      people.showSelf();
    }
    engine?.introduce();
  };
  return {
    states,
    alarms,
    people,
    watch,
    followProfile: follow,
    async startEngine({ policy, isVisit }) {
      engine = await Engine.start(world, { states, policy, pictures, isVisit });
      // From here on it hears what comes: of what came while it started nobody told it.
      engine.sayWhatCame();
      if (!isVisit) watch.start();
      ownThings.onChange((keys) => {
        if (!keys.includes(profileKey)) return;
        pictures.changed();
        void follow();
      });
      // What was set just before this program stopped.
      await follow();
      return engine;
    },
  };
}
