// The still water behind the offline panel: lines of a current round a bend, computed once.

const WIDTH = 1600;
const HEIGHT = 900;
const LINES = 15;

function currentLine(index: number): string {
  const share = index / (LINES - 1);
  const y = HEIGHT * (0.36 + share * 0.62);
  // Lines crowd at the outer bank and spread at the inner one, as a current does.
  const swing = 150 - share * 95;
  const drift = index * 23;
  const points = [
    `M-80 ${y}`,
    `C ${260 + drift} ${y - swing * 1.3}, ${430 - drift / 2} ${y + swing * 0.9}, ${780 + drift / 3} ${y - swing * 0.1}`,
    `S ${1240 - drift / 2} ${y - swing * 1.1}, ${WIDTH + 80} ${y + swing * 0.25 - 60}`,
  ];
  return points.join(" ");
}

const lines = Array.from({ length: LINES }, (_, index) => currentLine(index));

export function RiverArt() {
  return (
    <svg
      class="river"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="xMidYMax slice"
      aria-hidden="true"
    >
      {lines.map((line, index) => (
        <path key={index} d={line} opacity={0.16 + 0.5 * (1 - index / LINES)} />
      ))}
    </svg>
  );
}
