import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import { poFiles } from "./apps/web/po-files.ts";
import type { TestSpecification } from "vitest/node";

/** Every core: by itself the runner leaves one of them idle, of two. */
const maxWorkers = availableParallelism();

/** One more, where many tests wait for timers, processes and answers, and would leave a core idle meanwhile. */
const waitingWorkers = maxWorkers + 1;

/** No file changes what another sees: a worker loads modules once for all of its files, which for the client and the server takes seconds. */
const isolate = false;

/**
 * Where tests have their folders: in memory, where there is a disk in it with room. They sync to it thousands of times, each waits for a
 * disk, and none shows that a disk keeps its word: what a loss of power does is played by tests of their own.
 */
const env = testEnvironment();

function testEnvironment(): Record<string, string> {
  const [memory, neededBytes] = ["/dev/shm", 2 ** 31];
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < neededBytes) return {};
    const folder = mkdtempSync(join(memory, "latchkey-tests-"));
    // What a test that was killed leaves there goes with the run.
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    return { TMPDIR: folder };
  } catch {
    // No such disk here, or none that may be written to.
    return {};
  }
}

/** Files that take long, the longest first. */
const longest = [
  "mls/src/group/sessions.test.ts",
  "mls/src/crypto/wycheproof.vectors.test.ts",
  "server/src/ws/memory.test.ts",
  "cli/src/json.test.ts",
  "server/src/crash.test.ts",
  "server/src/backup/places.test.ts",
  "cli/src/processes.test.ts",
  "cli/src/sdk.test.ts",
  "cli/src/sdk-uploads.test.ts",
  "cli/src/sdk-files.test.ts",
  "server/src/journal/killed.test.ts",
  "mls/src/group/passive-client.vectors.test.ts",
  "mls/src/tree/tree.vectors.test.ts",
  "attacks/src/d34-other-file.test.ts",
  "attacks/src/c40-altered-history.test.ts",
  "attacks/src/c43-links-from-inside.test.ts",
  "attacks/src/c18-planted-failure.test.ts",
  "attacks/src/c35-messages-changed.test.ts",
  "attacks/src/c38-join-links.test.ts",
  "attacks/src/d45-sent-by-two.test.ts",
  "attacks/src/d23-error-is-not-absence.test.ts",
  "attacks/src/d28-in-a-friends-line.test.ts",
  "attacks/src/d19-one-item-blocks-an-inbox.test.ts",
  "attacks/src/e5-backup-rolled-back.test.ts",
  "attacks/src/e7-seized-device.test.ts",
  "attacks/src/c34-elsewhere.test.ts",
  "e2e/src/within-a-minute.e2e.ts",
  "e2e/src/devices-web.e2e.ts",
  "e2e/src/desk-journey.e2e.ts",
  "e2e/src/languages-web.e2e.ts",
  "e2e/src/files-web.e2e.ts",
  "e2e/src/web.e2e.ts",
  "e2e/src/focus-web.e2e.ts",
  "e2e/src/troubles-web.e2e.ts",
  "e2e/src/restart.e2e.ts",
  "e2e/src/engines.e2e.ts",
  "e2e/src/witnesses.e2e.ts",
  "e2e/src/attach-web.e2e.ts",
  "e2e/src/devices-cli.e2e.ts",
  "e2e/src/history.e2e.ts",
  "e2e/src/settings.e2e.ts",
  "e2e/src/members.e2e.ts",
  "e2e/src/composer.e2e.ts",
  "e2e/src/mls-vectors.e2e.ts",
  "e2e/src/devices.e2e.ts",
  "e2e/src/link-crashes.e2e.ts",
];

/** Unit tests of the server that run on PostgreSQL too. */
const onPostgres = [
  "crash",
  "sessions",
  "server",
  "feed",
  "logs/*",
  "inboxes/*",
  "directory/accounts",
  "directory/log-heads",
  "directory/public-log",
  "directory/public-suspensions",
  "histories/histories",
  "passphrases/passphrases",
  "tokens/tokens",
  "wakes/wakes",
  "admin/admin",
  "admin/decisions",
  "desk/holdings-door",
  "desk/holdings",
  "admission/targets",
  "http/http",
];

/** Where nobody knows yet how long files take, the runner starts large ones first: one of these would run last, and alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rankOf = ({ moduleId }: TestSpecification): number => longest.findIndex((name) => moduleId.endsWith(name)) >>> 0;
    return [...Map.groupBy(sorted, ({ project }) => project.name).values()].flatMap((of) => of.toSorted((a, b) => rankOf(a) - rankOf(b)));
  }
}

// Files run side by side, those of the end-to-end project too: each has servers, browsers and folders of its own.
export default defineConfig({
  test: {
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [poFiles()],
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.{ts,tsx}", "bench/src/**/*.test.ts", "tools/**/*.test.ts"],
          environment: "node",
          env,
          maxWorkers: waitingWorkers,
          isolate,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: "postgres",
          // What people and operators do with a server over the wire: of its unit tests those that do not look into a data folder.
          include: onPostgres.map((name) => `packages/server/src/${name}.test.ts`),
          globalSetup: ["packages/server/src/testing/one-postgres.ts"],
          setupFiles: ["packages/server/src/testing/on-postgres.ts"],
          environment: "node",
          env,
          maxWorkers,
          isolate,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: "attacks",
          include: ["attacks/src/*.test.ts"],
          environment: "node",
          env,
          // Every case has servers and people of its own, which wait most of the time.
          sequence: { concurrent: true },
          maxWorkers: waitingWorkers,
          isolate,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: "sim",
          include: ["sim/src/**/*.test.ts"],
          environment: "node",
          maxWorkers,
          isolate,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: "packages",
          include: ["tools/packaging/**/*.package.ts"],
          globalSetup: ["tools/packaging/build.testing.ts"],
          environment: "node",
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/src/**/*.e2e.ts"],
          environment: "node",
          maxWorkers: waitingWorkers,
          isolate,
          // Nobody waits so long where all is well: what is slow for once is not wrong.
          // Two browsers, a server and their clocks on one machine: what fails once is tried again, and named at the end (tools/test.js) as a fault to find.
          retry: 1,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
