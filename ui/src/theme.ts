/** Mantine speaks our tokens: its variables point at tokens.css, once, here. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** A Mantine palette whose shade 8 is the light theme's token and whose shade 2 is the dark theme's. */
const palette = (light: string, dark: string): MantineColorsTuple => [
  dark,
  dark,
  dark,
  dark,
  dark,
  light,
  light,
  light,
  light,
  light,
];

export const theme = createTheme({
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '11px', sm: '12px', md: '13px', lg: '14px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '16px', md: '20px', lg: '20px', xl: '28px' },
  headings: { fontWeight: '600' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { sm: '4px', md: '6px' },
  defaultRadius: 'md',
  colors: {
    ink: palette('#191B1D', '#ECEDEA'),
    cobalt: palette('#2B4ACB', '#93A8FF'),
    pass: palette('#007A5E', '#4CC9A0'),
    fail: palette('#C23616', '#FF8A6A'),
    warn: palette('#8A5A00', '#E2B04A'),
  },
  primaryColor: 'ink',
  primaryShade: { light: 8, dark: 2 },
  autoContrast: true,
  respectReducedMotion: true,
  cursorType: 'pointer',
  focusRing: 'auto',
  breakpoints: { xs: '480px', sm: '600px', md: '960px', lg: '1100px', xl: '1400px' },
  components: {
    Tooltip: { defaultProps: { openDelay: 200 } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});

export const tokens: CSSVariablesResolver = () => {
  const variables = {
    '--mantine-color-body': 'var(--canvas)',
    '--mantine-color-text': 'var(--ink)',
    '--mantine-color-dimmed': 'var(--ink-2)',
    '--mantine-color-placeholder': 'var(--ink-3)',
    '--mantine-color-anchor': 'var(--accent)',
    '--mantine-color-error': 'var(--fail)',
    '--mantine-color-success': 'var(--pass)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--hover)',
    '--mantine-color-default-border': 'var(--control-line)',
    '--mantine-color-disabled': 'var(--sunken)',
    '--mantine-color-disabled-color': 'var(--ink-3)',
  };
  return { variables: {}, light: variables, dark: variables };
};
