import "../styles/attach.css";
import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { tellWhile } from "../lock/going-on.ts";
import { startVoice } from "../media/voice-recorder.ts";
import type { NoVoice, VoiceEnd, VoiceRecorder, VoiceRecording } from "../media/voice-recorder.ts";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { AttachIcon } from "./AttachIcon.tsx";
import { clock } from "./clock.ts";
import { holdPage } from "./hold-page.ts";
import { dropVoice, keepVoice, sendVoice } from "./voice.ts";
import { VoicePreview } from "./VoicePreview.tsx";

/** How often it is shown how long and how loud it is. */
const stepMs = 100;

type Phase =
  | { readonly kind: "asking" }
  | { readonly kind: "recording"; readonly recorder: VoiceRecorder }
  | { readonly kind: "refused"; readonly reason: NoVoice };

const endWords = { limit: "voice.limit", microphone_gone: "voice.microphoneGone" } as const;

/**
 * In place of the field: records at once, is heard before it is sent, or sent at once. A recording ends when the conversation is left, and is
 * still there when one comes back: nothing is recorded that nobody sees.
 */
export function VoiceBar({
  conversationId,
  answered,
  close,
}: {
  readonly conversationId: string;
  readonly answered: Message | undefined;
  /** The field is shown again, and what was answered is. */
  readonly close: (isSent: boolean) => void;
}): ReactElement {
  const { controller, notify } = useApp();
  const act = useAction();
  const kept = useSelector((state) => state.voices.get(conversationId));
  const [phase, setPhase] = useState<Phase>({ kind: "asking" });
  const [end, setEnd] = useState<VoiceEnd>();
  const [round, setRound] = useState(0);
  /** What becomes of it once it has ended. */
  const after = useRef<"keep" | "send" | "delete">("keep");
  const isKept = kept !== undefined;
  const latest = useRef<(recording: VoiceRecording, ended: VoiceEnd) => void>(() => undefined);

  const send = (recording: VoiceRecording, isOnce: boolean): void => {
    close(true);
    void act(() => sendVoice(controller, conversationId, { recording, answered, isOnce }));
  };
  const discard = (recording: VoiceRecording): void => {
    dropVoice(controller, conversationId);
    close(false);
    notify(t("voice.discarded"), { label: t("composer.undo"), run: () => keepVoice(controller, conversationId, recording) });
  };
  useEffect(() => {
    latest.current = (recording, ended) => {
      if (after.current === "send") send(recording, false);
      else if (after.current === "delete") discard(recording);
      else {
        keepVoice(controller, conversationId, recording);
        setEnd(ended);
      }
    };
  });

  useEffect(() => {
    if (isKept) return undefined;
    let isGone = false;
    let running: VoiceRecorder | undefined;
    const release = holdPage();
    void startVoice().then(async (start) => {
      if (start.kind === "refused") {
        setPhase(start);
        return;
      }
      const { recorder } = start;
      if (isGone) {
        recorder.discard();
        return;
      }
      running = recorder;
      setPhase({ kind: "recording", recorder });
      const endTelling = tellWhile(controller, () => recorder.state() === "recording");
      const ended = await recorder.ended;
      endTelling();
      const recording = await recorder.finish();
      if (recording !== undefined) latest.current(recording, ended);
      else if (!isGone) {
        close(false);
        notify(t("voice.nothing"));
      }
    });
    return () => {
      isGone = true;
      void running?.finish();
      release();
    };
    // Begun once, and again when asked to.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [round]);

  if (kept !== undefined) {
    const note = end === "limit" || end === "microphone_gone" ? t(endWords[end]) : undefined;
    return <VoicePreview recording={kept} note={note} send={(isOnce) => send(kept, isOnce)} discard={() => discard(kept)} />;
  }
  if (phase.kind === "refused")
    return (
      <div className="voice" role="alert">
        <AttachIcon name="microphone" />
        <p className="voice-words">{t(`voice.no.${phase.reason}`)}</p>
        <button
          type="button"
          className="button"
          onClick={() => {
            setPhase({ kind: "asking" });
            setRound((before) => before + 1);
          }}
        >
          {t("common.tryAgain")}
        </button>
        <button type="button" className="icon-button" aria-label={t("common.close")} onClick={() => close(false)}>
          <Icon name="close" />
        </button>
      </div>
    );
  if (phase.kind === "asking")
    return (
      <div className="voice" role="status">
        <AttachIcon name="microphone" />
        <p className="voice-words">{t("voice.asking")}</p>
        <button type="button" className="button" onClick={() => close(false)}>
          {t("common.cancel")}
        </button>
      </div>
    );
  const { recorder } = phase;
  return (
    <Recording
      recorder={recorder}
      finish={(next) => {
        after.current = next;
        void recorder.finish();
      }}
    />
  );
}

function Recording({
  recorder,
  finish,
}: {
  readonly recorder: VoiceRecorder;
  readonly finish: (next: "keep" | "send" | "delete") => void;
}): ReactElement {
  const [seen, setSeen] = useState({ elapsedMs: 0, isPaused: false });
  const meter = useRef<HTMLSpanElement>(null);
  const pauseButton = useRef<HTMLButtonElement>(null);
  const { isPaused } = seen;
  const look = (): void => {
    meter.current?.style.setProperty("--level", recorder.level().toFixed(2));
    const elapsedMs = Math.floor(recorder.elapsedMs() / 1000) * 1000;
    const isStill = recorder.state() === "paused";
    setSeen((before) => (before.elapsedMs === elapsedMs && before.isPaused === isStill ? before : { elapsedMs, isPaused: isStill }));
  };
  useEffect(() => {
    pauseButton.current?.focus({ preventScroll: true });
    const timer = setInterval(look, stepMs);
    return () => clearInterval(timer);
    // The recorder is one and the same.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [recorder]);
  return (
    <section className="voice" aria-label={t("voice.heading")}>
      <button
        type="button"
        className="icon-button"
        aria-label={t("voice.discard")}
        title={t("voice.discard")}
        onClick={() => finish("delete")}
      >
        <Icon name="bin" size={22} />
      </button>
      <span className={`voice-light${isPaused ? " voice-light-paused" : ""}`} aria-hidden="true" />
      <span className="visually-hidden" role="status">
        {t(isPaused ? "voice.paused" : "voice.recording")}
      </span>
      <span className="voice-time tabular" role="timer">
        {clock(seen.elapsedMs)}
      </span>
      <span ref={meter} className="voice-meter" aria-hidden="true" />
      <button
        ref={pauseButton}
        type="button"
        className="icon-button"
        aria-label={t(isPaused ? "voice.resume" : "voice.pause")}
        title={t(isPaused ? "voice.resume" : "voice.pause")}
        onClick={() => {
          if (isPaused) recorder.resume();
          else recorder.pause();
          look();
        }}
      >
        <AttachIcon name={isPaused ? "microphone" : "pause"} />
      </button>
      <button type="button" className="icon-button" aria-label={t("voice.finish")} title={t("voice.finish")} onClick={() => finish("keep")}>
        <AttachIcon name="stop" />
      </button>
      <button
        type="button"
        className="send"
        aria-label={t("conversation.send")}
        title={t("conversation.send")}
        onClick={() => finish("send")}
      >
        <Icon name="send" size={22} />
      </button>
    </section>
  );
}
