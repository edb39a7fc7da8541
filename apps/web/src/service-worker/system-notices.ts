import type { NoticeWorld, ShownNotice } from "./notices.ts";

/** What of a service worker's registration shows notifications. */
export interface SystemNotices {
  showNotification(title: string, options: NotificationOptions & { readonly renotify?: boolean }): Promise<void>;
  getNotifications(): Promise<readonly ShownNotice[]>;
}

/** What the system knows the one by that is for all conversations: those that have no tag never take each other's place. No conversation has this id. */
const tagOfAll = "all";

/** The notifications of this system, where "" is the tag of the one for all conversations. */
export function createSystemNotices(system: SystemNotices): Pick<NoticeWorld, "show" | "shown"> {
  return {
    async show(title, options) {
      const { tag = "" } = options;
      // Builds before this one showed that without a tag.
      if (tag === "") for (const one of await system.getNotifications()) if (one.tag === "") one.close();
      await system.showNotification(title, { ...options, tag: tag === "" ? tagOfAll : tag });
    },
    async shown() {
      return (await system.getNotifications()).map((one) => ({
        title: one.title,
        body: one.body,
        tag: one.tag === tagOfAll ? "" : one.tag,
        data: one.data,
        close: () => one.close(),
      }));
    },
  };
}
