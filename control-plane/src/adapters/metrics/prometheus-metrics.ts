/** Numbers for Prometheus. A metric that is misused is counted as dropped: measuring never breaks an SOS. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metrics } from '../../ports/log.ts';
import { METRIC_HELP } from './metric-help.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * From a millisecond (a feed event) to a minute (a redial that was answered), with each promised limit as a bound:
 * 500 ms (RTC-1), 1 s (FB-5), 2 s (FB-2), 3 s (RTC-2, RTC-6), 5 s and 5.5 s (FB-1), 25.5 s (FB-6).
 */
const BUCKETS_MS = [
  ...[1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 3500, 5000, 5500],
  ...[8000, 10_000, 15_000, 20_000, 25_500, 30_000, 45_000, 60_000],
];
/** Combinations of label values that one metric may have: beyond, somebody used an open list. */
const MAX_SERIES = 500;

interface Family<T> {
  readonly metric: T;
  readonly labelNames: string;
  readonly seen: Set<string>;
}

export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Family<Counter>>();
  readonly #histograms = new Map<string, Family<Histogram>>();
  readonly #gauges = new Map<string, Family<Gauge>>();
  readonly #dropped: Counter;

  constructor(defaultLabels: Labels = {}) {
    this.#registry.setDefaultLabels(defaultLabels);
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 10 });
    const name = 'hamrahi_metrics_dropped_total';
    this.#dropped = new Counter({
      name,
      help: METRIC_HELP[name] ?? name,
      labelNames: ['metric'],
      registers: [this.#registry],
    });
  }

  count(name: string, labels: Labels = {}): void {
    this.#use(this.#counters, name, labels, (spec) => new Counter(spec))?.inc(labels);
  }

  observe(name: string, valueMs: number, labels: Labels = {}): void {
    if (!Number.isFinite(valueMs)) {
      this.#drop(name);
      return;
    }
    this.#use(
      this.#histograms,
      name,
      labels,
      (spec) => new Histogram({ ...spec, buckets: BUCKETS_MS }),
    )?.observe(labels, valueMs);
  }

  gauge(name: string, value: number, labels: Labels = {}): void {
    if (!Number.isFinite(value)) {
      this.#drop(name);
      return;
    }
    this.#use(this.#gauges, name, labels, (spec) => new Gauge(spec))?.set(labels, value);
  }

  /** The exposition that Prometheus scrapes. */
  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** The metric of this name, made at its first use; `null` when these labels may not be used with it. */
  #use<T>(
    families: Map<string, Family<T>>,
    name: string,
    labels: Labels,
    make: (spec: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => T,
  ): T | null {
    const labelNames = Object.keys(labels).sort();
    let family = families.get(name);
    if (!family) {
      if (!/^hamrahi_[a-z0-9_]+$/.test(name) || this.#registry.getSingleMetric(name)) {
        this.#drop(name);
        return null;
      }
      const metric = make({ name, help: METRIC_HELP[name] ?? name, labelNames, registers: [this.#registry] });
      family = { metric, labelNames: labelNames.join(), seen: new Set() };
      families.set(name, family);
    }
    const series = labelNames.map((label) => labels[label]).join('\u0000');
    const full = family.seen.size >= MAX_SERIES && !family.seen.has(series);
    if (family.labelNames !== labelNames.join() || full) {
      this.#drop(name);
      return null;
    }
    family.seen.add(series);
    return family.metric;
  }

  #drop(name: string): void {
    const known = this.#counters.has(name) || this.#histograms.has(name) || this.#gauges.has(name);
    this.#dropped.inc({ metric: known ? name : 'other' });
  }
}
