/** How far equity stands below its highest point so far, at each point. */
export function drawdown(points: readonly { time: number; value: number }[]): { time: number; value: number }[] {
  let peak = -Infinity;
  return points.map(({ time, value }) => {
    peak = Math.max(peak, value);
    return { time, value: value - peak };
  });
}
