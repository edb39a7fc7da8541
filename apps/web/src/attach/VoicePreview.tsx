import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { Icon } from "../components/Icon.tsx";
import type { VoiceRecording } from "../media/voice-recorder.ts";
import { t } from "../messages/words.ts";
import { AttachIcon } from "./AttachIcon.tsx";
import { clock } from "./clock.ts";
import { useAddress } from "./use-address.ts";

/** What was recorded, to be heard before it is sent. */
export function VoicePreview({
  recording,
  note,
  send,
  discard,
}: {
  readonly recording: VoiceRecording;
  /** Why it ended, where not by the person. */
  readonly note: string | undefined;
  readonly send: (isOnce: boolean) => void;
  readonly discard: () => void;
}): ReactElement {
  const { blob, durationMs, peaks, packets } = recording;
  const [isPlaying, setIsPlaying] = useState(false);
  const [atMs, setAtMs] = useState(0);
  const [isOnce, setIsOnce] = useState(false);
  const audio = useRef<HTMLAudioElement>(null);
  const sendButton = useRef<HTMLButtonElement>(null);
  const address = useAddress(blob);
  useEffect(() => sendButton.current?.focus({ preventScroll: true }), []);
  const label = t(isPlaying ? "voice.stop" : "voice.play");
  const heard = Math.min(1, atMs / durationMs);
  return (
    <>
      <div className="voice-notes" role="status">
        {note !== undefined && <p>{note}</p>}
        {packets !== "constant" && <p>{t("voice.varying")}</p>}
        {isOnce && <p>{t("voice.onceHint")}</p>}
      </div>
      <section className="voice" aria-label={t("voice.heading")}>
        <button type="button" className="icon-button" aria-label={t("voice.discard")} title={t("voice.discard")} onClick={discard}>
          <Icon name="bin" size={22} />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={label}
          title={label}
          onClick={() => {
            if (isPlaying) audio.current?.pause();
            else void audio.current?.play().catch(() => undefined);
          }}
        >
          <AttachIcon name={isPlaying ? "pause" : "play"} />
        </button>
        {/* One's own words, just spoken: there is nothing to caption. */}
        {/* oxlint-disable-next-line jsx-a11y/media-has-caption */}
        <audio
          ref={audio}
          src={address}
          preload="auto"
          onPlay={() => setIsPlaying(true)}
          onPause={() => setIsPlaying(false)}
          onEnded={() => setAtMs(0)}
          onTimeUpdate={({ currentTarget }) => setAtMs(currentTarget.ended ? 0 : currentTarget.currentTime * 1000)}
        />
        <svg className="voice-wave" viewBox={`0 0 ${String(peaks.length * 4)} 32`} preserveAspectRatio="none" aria-hidden="true">
          {[...peaks].map((peak, index) => {
            const high = Math.max(2, (peak / 255) * 30);
            // Bars have no names of their own, and never change places.
            return (
              <rect
                // oxlint-disable-next-line react/no-array-index-key
                key={index}
                className={index / peaks.length < heard ? "voice-heard" : undefined}
                x={index * 4}
                y={16 - high / 2}
                width={2.4}
                height={high}
                rx={1.2}
              />
            );
          })}
        </svg>
        <span className="voice-time tabular">{clock(isPlaying || atMs > 0 ? atMs : durationMs)}</span>
        <label className="tray-check voice-once">
          <input type="checkbox" checked={isOnce} onChange={({ target }) => setIsOnce(target.checked)} />
          {t("voice.once")}
        </label>
        <button
          ref={sendButton}
          type="button"
          className="send"
          aria-label={t("conversation.send")}
          title={t("conversation.send")}
          onClick={() => send(isOnce)}
        >
          <Icon name="send" size={22} />
        </button>
      </section>
    </>
  );
}
