// A handful of drawings, 24 by 24, in the colour of the text around them.

import type { ComponentChildren } from "preact";

function Icon({ children, filled = false }: { children: ComponentChildren; filled?: boolean }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill={filled ? "currentColor" : "none"}
      stroke={filled ? "none" : "currentColor"}
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const PlayIcon = () => (
  <Icon filled>
    <path d="M8 5.3v13.4c0 .9 1 1.5 1.8 1l10.4-6.7c.7-.5.7-1.5 0-2L9.8 4.3C9 3.8 8 4.4 8 5.3z" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon filled>
    <rect x="6" y="4.5" width="4.3" height="15" rx="1.3" />
    <rect x="13.7" y="4.5" width="4.3" height="15" rx="1.3" />
  </Icon>
);

const Speaker = () => <path d="M4 9.5h3l4.5-4v13l-4.5-4H4z" fill="currentColor" />;

export const SoundIcon = ({ loud }: { loud: boolean }) => (
  <Icon>
    <Speaker />
    <path d="M15.5 9a4.2 4.2 0 0 1 0 6" />
    {loud && <path d="M18.3 6.3a8 8 0 0 1 0 11.4" />}
  </Icon>
);

export const MutedIcon = () => (
  <Icon>
    <Speaker />
    <path d="m16 9.5 5 5m0-5-5 5" />
  </Icon>
);

export const QualityIcon = () => (
  <Icon>
    <path d="M4 7h9m5 0h2M4 17h3m5 0h8" />
    <circle cx="15.5" cy="7" r="2.4" />
    <circle cx="9.5" cy="17" r="2.4" />
  </Icon>
);

export const EnterFullScreenIcon = () => (
  <Icon>
    <path d="M4 9V5.5C4 4.7 4.7 4 5.5 4H9m6 0h3.5c.8 0 1.5.7 1.5 1.5V9m0 6v3.5c0 .8-.7 1.5-1.5 1.5H15m-6 0H5.5c-.8 0-1.5-.7-1.5-1.5V15" />
  </Icon>
);

export const LeaveFullScreenIcon = () => (
  <Icon>
    <path d="M9 4v3.5C9 8.3 8.3 9 7.5 9H4m16 0h-3.5c-.8 0-1.5-.7-1.5-1.5V4m0 16v-3.5c0-.8.7-1.5 1.5-1.5H20M4 15h3.5c.8 0 1.5.7 1.5 1.5V20" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m5 12.5 4.5 4.5L19 7.5" />
  </Icon>
);

export const ClockIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
);

export const PeopleIcon = () => (
  <Icon>
    <circle cx="9.5" cy="8.5" r="3.5" />
    <path d="M3.5 19.5c.4-3.4 2.8-5.5 6-5.5s5.6 2.1 6 5.5M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.5 14.6c1.7.8 2.8 2.5 3 4.9" />
  </Icon>
);

/** The bend of a river. */
export const LogoMark = () => (
  <svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
    <rect class="mark-ground" width="32" height="32" rx="9" />
    <path class="mark-river" d="M10 26c0-6 12-6 12-11.5S13 11 13 6" />
  </svg>
);
