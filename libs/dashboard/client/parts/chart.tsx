import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

interface Series {
  readonly label: string;
  /** A custom property of the style sheet, so that light and dark have colours of their own. */
  readonly colour: string;
}

interface Props {
  /** What is read aloud instead of the picture. */
  readonly label: string;
  readonly series: readonly Series[];
  /** Unix times in seconds, then the values of each series. */
  readonly data: uPlot.AlignedData;
  readonly text: (value: number) => string;
}

const HEIGHT = 150;
/** A minute at least: one point alone has no length. Seconds. */
const SHORTEST = 60;

/** Lines over time. The figures beside it say the newest in words. */
export function Chart({ label, series, data, text }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current!;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(element, series, text), data, element);
    };
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    draw();
    dark.addEventListener('change', draw);
    resized.observe(element);
    return () => {
      dark.removeEventListener('change', draw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

/** By the times themselves: of one point alone uPlot would show the day that follows. */
function span(times: uPlot.AlignedData[0]): [from: number, to: number] {
  const last = times.at(-1) ?? SHORTEST;
  return [Math.min(times[0] ?? 0, last - SHORTEST), last];
}

function optionsFor(element: HTMLElement, series: readonly Series[], text: Props['text']): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: ({ data: [times] }) => span(times) },
      y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        space: 90,
        size: 26,
        values: (_plot, ticks) => ticks.map((at) => new Date(at * 1_000).toLocaleTimeString('en-GB')),
      },
      { ...axis, size: 62, space: 30, values: (_plot, ticks) => ticks.map(text) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name }) => ({
        label,
        stroke: colour(name),
        width: 2,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}
