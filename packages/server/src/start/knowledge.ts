/**
 * What an operator can say with `--i-know`, each named by the line that asks for it: `clock`, the machine's clock is right although the
 * server's last run was long ago; `extra-blobs`, what lies in the bucket of the blobs and these data do not know may be removed; `host`, the data folder is of another host; `lost-log-key`, the log goes on with the key that was
 * announced, since the one before is lost; `lost-blobs`, all that was in the bucket of the blobs is gone; `lost-desk`, the desk that another server of the same database had is gone; `new-journal`, the journal of the public record that there was is given up; `rolled-back`, the data folder is older than what was shown of it.
 */
export type Knowledge = "clock" | "extra-blobs" | "host" | "lost-blobs" | "lost-desk" | "lost-log-key" | "new-journal" | "rolled-back";
