export { profileLockName, takeProfileLock, tryProfileLock } from "./profile-lock.ts";
export type { ProfileLock, ProfileLockParams, Wanted } from "./profile-lock.ts";
export { openWebClient } from "./web-client.ts";
export { askToPersist, createWebPlatform } from "./web-platform.ts";
export { eraseWebStore, isWebProfileLocked, openWebStore } from "./web-store.ts";
export { visitWebProfile } from "./web-visit.ts";
export type { Visit, VisitEnd } from "./web-visit.ts";
