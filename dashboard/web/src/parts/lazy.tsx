// A view that comes in its own chunk: a skeleton while it loads, a way to try again when it does not.
import { useEffect, useState } from 'preact/hooks';
import type { ComponentType, VNode } from 'preact';
import { Failed, Skeleton } from './states.tsx';

export function Lazy<P extends object>({ load, props }: { load: () => Promise<{ default: ComponentType<P> }>; props: P }): VNode {
  const [View, setView] = useState<{ it: ComponentType<P> } | null>(null);
  const [why, setWhy] = useState('');
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let here = true;
    load().then((module) => { if (here) setView({ it: module.default }); },
      (error: unknown) => { if (here) setWhy(String(error)); });
    return () => { here = false; };
  }, [attempt]);
  if (View) {
    const It = View.it as ComponentType<object>;
    return <It {...props} />;
  }
  if (why) return <Failed why={why} retry={() => { setWhy(''); setAttempt(attempt + 1); }} />;
  return <Skeleton rows={8} />;
}
