import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: { outDir: '../dist/ui', emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0 },
  server: {
    proxy: { '/api': 'http://127.0.0.1:5000', '/ajax-api': 'http://127.0.0.1:5000', '/v2': 'http://127.0.0.1:5000' },
  },
});
