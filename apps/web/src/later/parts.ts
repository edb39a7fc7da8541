/** What the app shows of messages that go and of what is done at a time, in one file: whoever opens a conversation has use for it. */
export { TimerMark, TimerNote } from "../components/TimerMark.tsx";
export { TimerSetting } from "../components/TimerSetting.tsx";
export { DueReminders } from "./DueReminders.tsx";
export { LaterLine } from "./LaterLine.tsx";
export { RemindDialog } from "./RemindDialog.tsx";
export { SendLater } from "./SendLater.tsx";
