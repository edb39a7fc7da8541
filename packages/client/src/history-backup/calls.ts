import type { HistoryBackupCalls } from "../api/history-backup.ts";
import type { HistoryBackups } from "./history-backups.ts";

/** The calls of the API, each by what is loaded with the first of them. */
export function historyBackupCalls(loaded: () => Promise<HistoryBackups>): HistoryBackupCalls {
  return {
    async historyBackup({ isAsked = false } = {}) {
      const backups = await loaded();
      if (isAsked) await backups.look();
      return await backups.state();
    },
    keepHistoryBackup: async (phrase) => await (await loaded()).keep(phrase),
    async writeHistoryBackup({ isAnew = false } = {}) {
      const backups = await loaded();
      await backups.write(isAnew);
      return await backups.state();
    },
    dropHistoryBackup: async () => await (await loaded()).drop(),
    async findHistoryBackup(phrase) {
      const backups = await loaded();
      await backups.find(phrase);
      return await backups.state();
    },
    async restoreHistoryBackup() {
      const backups = await loaded();
      await backups.restore();
      return await backups.state();
    },
    declineHistoryBackup: async () => await (await loaded()).decline(),
  };
}
