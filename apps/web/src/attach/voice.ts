import type { Message } from "@latchkey/client";
import type { VoiceRecording } from "../media/voice-recorder.ts";
import type { TrayItem } from "../state/trays.ts";
import { nextKey, sendItems } from "./attach.ts";
import type { AttachAccess } from "./attach.ts";
import { holdPage } from "./hold-page.ts";

/** What lets the page go again, of each recording that is kept. */
const holds = new Map<string, () => void>();

/** Keeps a recording in the memory of this page until it is sent or deleted, also while another conversation is looked at. */
export function keepVoice({ store }: Pick<AttachAccess, "store">, conversationId: string, recording: VoiceRecording): void {
  holds.get(conversationId)?.();
  holds.set(conversationId, holdPage());
  store.update((state) => ({ ...state, voices: new Map([...state.voices, [conversationId, recording]]) }));
}

/** Lets go of the recording of a conversation. */
export function dropVoice({ store }: Pick<AttachAccess, "store">, conversationId: string): void {
  holds.get(conversationId)?.();
  holds.delete(conversationId);
  store.update((state) => ({ ...state, voices: new Map([...state.voices].filter(([id]) => id !== conversationId)) }));
}

/** Sends a recording; resolves as `sendItems`, and what could not be sent is in the tray. */
export function sendVoice(
  access: AttachAccess,
  conversationId: string,
  params: { readonly recording: VoiceRecording; readonly answered: Message | undefined; readonly isOnce: boolean },
): Promise<boolean> {
  const { recording, answered, isOnce } = params;
  dropVoice(access, conversationId);
  return sendItems(access, conversationId, { items: [itemOf(recording)], isOnce, text: "", answered });
}

/** A recording as a file that is ready. */
export function itemOf({ blob, mediaType, durationMs, peaks }: VoiceRecording): TrayItem {
  const name = mediaType === "audio/mp4" ? "voice.m4a" : "voice.webm";
  return {
    key: nextKey(),
    file: new File([blob], name, { type: mediaType }),
    name,
    description: "",
    isUnchanged: false,
    made: {
      kind: "made",
      file: { name, mediaType, sizeBytes: blob.size, kind: "voice", durationMs, peaks, content: blob },
      preview: undefined,
      asFile: undefined,
      metadata: undefined,
    },
  };
}
