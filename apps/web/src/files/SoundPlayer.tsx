import { useEffect, useRef, useSyncExternalStore } from "react";
import type { ReactElement } from "react";
import type { AttachedFile } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatBytes, formatNumber } from "../state/format.ts";
import { FileNote } from "./FileNote.tsx";
import type { FileHolder } from "./holder.ts";
import { playerOf } from "./player.ts";
import type { PlayerState } from "./player.ts";
import { Progress } from "./Progress.tsx";
import { Transcript } from "./Transcript.tsx";
import { formatLength } from "./transfer.ts";
import { useFileState } from "./use-files.ts";

/** What the player of this app is at. */
export function usePlayer(): PlayerState {
  const { store } = playerOf(useApp().controller);
  return useSyncExternalStore(store.subscribe, store.get);
}

/** A voice message, or a file with sound: played where it stands. */
export function SoundPlayer({ message, file }: { readonly message: FileHolder; readonly file: AttachedFile }): ReactElement {
  const player = playerOf(useApp().controller);
  const { current, rate } = usePlayer();
  const state = useFileState(message, file);
  const own = current?.file.id === file.id && current.message.id === message.id ? current : undefined;
  const length = own !== undefined && own.length > 0 ? own.length : (file.durationMs ?? 0) / 1000;
  const at = Math.min(own?.at ?? player.placeOf(file), length);
  const isPlaying = own?.isPlaying === true;
  const failure = state?.kind === "gone" ? "gone" : own?.failure;
  const name = file.kind === "voice" ? t("files.kind.voice") : file.name;
  return (
    <div className={`sound${file.kind === "voice" ? " sound-voice" : ""}`} role="group" aria-label={name}>
      {state?.kind === "sending" ? (
        <Progress message={message} file={file} state={state} />
      ) : (
        <button
          type="button"
          className="sound-play"
          aria-label={isPlaying ? t("files.pause") : t("files.play")}
          disabled={failure === "gone"}
          onClick={() => player.toggle(message, file)}
        >
          <Icon name={isPlaying ? "pause" : "play"} size={22} />
        </button>
      )}
      <span className="sound-body">
        {file.kind !== "voice" && (
          <span className="file-name">
            <bdi>{file.name}</bdi>
          </span>
        )}
        <span className="sound-track">
          {file.peaks !== undefined && <Waveform peaks={file.peaks} share={length > 0 ? at / length : 0} />}
          <input
            type="range"
            className={file.peaks === undefined ? "sound-range" : "sound-range sound-range-over"}
            aria-label={t("files.place")}
            aria-valuetext={t("files.position", { at: formatLength(at), of: formatLength(length) })}
            min={0}
            max={Math.max(length, 0.1)}
            step="any"
            value={at}
            disabled={length === 0 || failure === "gone"}
            onChange={(event) => player.seek(message, file, Number(event.target.value))}
          />
        </span>
        <span className="sound-facts tabular">
          {own === undefined && at === 0 ? formatLength(length) : `${formatLength(at)} / ${formatLength(length)}`}
          {file.kind !== "voice" && ` · ${formatBytes(file.sizeBytes)}`}
        </span>
        {failure !== undefined && <FileNote message={message} file={file} why={failure} again={() => player.toggle(message, file)} />}
        <Transcript message={message} file={file} />
      </span>
      <button
        type="button"
        className="sound-rate tabular"
        aria-label={t("files.rate", { rate: formatNumber(rate) })}
        onClick={() => player.nextRate()}
      >
        {formatNumber(rate)}×
      </button>
    </div>
  );
}

const bars = 48;

/** How loud it is, over its length; what was heard is stronger. */
function Waveform({ peaks, share }: { readonly peaks: Uint8Array; readonly share: number }): ReactElement {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext("2d");
    if (canvas === null || context === null || context === undefined) return;
    const scale = globalThis.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    const step = width / bars;
    const isRtl = style.direction === "rtl";
    for (let bar = 0; bar < bars; bar++) {
      const peak = peaks[Math.floor((bar * peaks.length) / bars)] ?? 0;
      const size = Math.max(2, (peak / 255) * height);
      context.globalAlpha = (bar + 0.5) / bars <= share ? 1 : 0.4;
      context.fillStyle = style.color;
      context.fillRect(isRtl ? width - (bar + 1) * step : bar * step, (height - size) / 2, Math.max(1, step - 2), size);
    }
  });
  return <canvas ref={ref} className="sound-wave" aria-hidden="true" />;
}
