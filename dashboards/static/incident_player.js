// The clip of an incident: video, measured boxes over it at their times, and a bar with every
// event on it. Time 0 of the clip is the window's start, the one timeline of answer and evidence.

const FRAME_S = 0.04;
const MARK_GAP_PX = 27;
const BOX_SHOWN_S = 0.7; // a box belongs to a moment: shown this long before and after it

function alike(a, b) {
  const width = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return false;
  const common = width * height;
  return common / (a.w * a.h + b.w * b.h - common) > 0.5;
}

export default {
  template: `
    <div class="cw-player" ref="root">
      <div class="cw-player__stage" :style="{ aspectRatio: ratio }" @click="toggle">
        <video ref="video" :src="clip" :poster="poster" preload="auto" playsinline muted
               @loadedmetadata="loaded" @play="playing = true" @pause="playing = false"
               @ended="playing = false" @seeked="sync" @timeupdate="sync"></video>
        <div class="cw-player__boxes" v-if="showBoxes">
          <div v-for="box in shownBoxes" :key="box.id" class="cw-box" :data-kind="box.kind"
               :style="place(box)"><span>{{ box.label }}</span></div>
        </div>
        <div class="cw-player__none" v-if="!clip">
          <span class="cw-spinner" v-if="!final"></span>{{ final ? words.no_clip_final : words.no_clip }}</div>
        <div class="cw-player__caption" v-if="caption">{{ caption }}</div>
        <div class="cw-player__wall">{{ wallTime }}</div>
      </div>
      <div class="cw-timeline" ref="bar" @pointerdown="grab" role="slider" tabindex="0"
           :aria-label="words.timeline" aria-valuemin="0" :aria-valuemax="duration"
           :aria-valuenow="time.toFixed(1)" :aria-valuetext="clock(time)" @keydown="barKey">
        <div class="cw-timeline__track"><div class="cw-timeline__done" :style="{ width: percent(time) }"></div></div>
        <span v-for="tick in ticks" :key="'t' + tick" class="cw-timeline__tick"
              :style="{ left: percent(tick) }">{{ tick }} s</span>
        <span v-for="mark in placedMarks" :key="'s' + mark.id" v-show="mark.sign" class="cw-stem"
              :data-kind="mark.kind" :style="{ left: percent(mark.t) }"></span>
        <button v-for="mark in placedMarks" :key="mark.id" type="button" class="cw-mark" :data-kind="mark.kind"
                :data-picked="picked === mark.id" :style="{ left: mark.left }" :title="mark.title"
                :aria-label="mark.title" @pointerdown.stop @click.stop="pick(mark.id)">{{ mark.sign }}</button>
        <div class="cw-timeline__head" :style="{ left: percent(time) }"></div>
      </div>
      <div class="cw-player__bar">
        <button type="button" class="cw-button cw-button--icon" @click="toggle" :aria-label="words.play" :title="words.play">
          <i class="material-icons" aria-hidden="true">{{ playing ? 'pause' : 'play_arrow' }}</i></button>
        <button type="button" class="cw-button cw-button--icon" @click="step(-1)" :aria-label="words.back" :title="words.back">
          <i class="material-icons" aria-hidden="true">chevron_left</i></button>
        <button type="button" class="cw-button cw-button--icon" @click="step(1)" :aria-label="words.on" :title="words.on">
          <i class="material-icons" aria-hidden="true">chevron_right</i></button>
        <span class="cw-player__time">{{ clock(time) }} <span>/ {{ clock(duration) }}</span></span>
        <span class="cw-player__keys">{{ words.keys }}</span>
        <button type="button" class="cw-button" :aria-pressed="slow" @click="slow = !slow">{{ words.slow }}</button>
        <button type="button" class="cw-button" :aria-pressed="showBoxes" v-if="boxes.length" @click="showBoxes = !showBoxes">{{ words.boxes }}</button>
      </div>
    </div>`,
  props: {
    clip: String, poster: String, length: Number, from: Number, final: Boolean, startMs: Number, zone: String,
    marks: Array, boxes: Array, words: Object,
  },
  data: () => ({
    time: 0, duration: 1, barWidth: 900, playing: false, picked: "", showBoxes: true, slow: false, ratio: "16 / 9",
  }),
  computed: {
    shownBoxes() {
      const shown = [];
      const near = this.boxes
        .map((box) => ({ ...box, away: Math.abs(box.t - this.time) }))
        .filter((box) => box.away <= BOX_SHOWN_S)
        .sort((a, b) => a.away - b.away);
      for (const box of near) {
        // Several measurements of one body: one box, the nearest in time, with all their names.
        const same = shown.find((other) => alike(other, box));
        if (!same) shown.push({ ...box, opacity: 1 - 0.7 * (box.away / BOX_SHOWN_S) });
        else if (!same.label.includes(box.label)) same.label += ` · ${box.label}`;
      }
      return shown;
    },
    placedMarks() {
      // Large marks keep clear of one another; each has a stem at its true time.
      const large = this.marks.filter((mark) => mark.sign).sort((a, b) => a.t - b.t);
      const at = large.map((mark) => (this.barWidth * mark.t) / this.duration);
      for (let pass = 0; pass < 20; pass += 1) {
        for (let i = 1; i < at.length; i += 1) {
          const lacking = MARK_GAP_PX - (at[i] - at[i - 1]);
          if (lacking > 0) {
            at[i - 1] -= lacking / 2;
            at[i] += lacking / 2;
          }
        }
      }
      const small = this.marks.filter((mark) => !mark.sign);
      return [
        ...small.map((mark) => ({ ...mark, left: this.percent(mark.t) })),
        ...large.map((mark, i) => ({ ...mark, left: `${at[i].toFixed(1)}px` })),
      ];
    },
    caption() {
      const near = this.marks.filter((mark) => mark.caption && Math.abs(mark.t - this.time) <= 1);
      near.sort((a, b) => Math.abs(a.t - this.time) - Math.abs(b.t - this.time));
      const picked = near.find((mark) => mark.id === this.picked);
      return (picked || near[0])?.caption || "";
    },
    ticks() {
      const every = this.duration > 60 ? 20 : this.duration > 25 ? 5 : 2;
      const found = [];
      for (let t = 0; t <= this.duration - every / 3; t += every) found.push(t);
      return found;
    },
    wallTime() {
      const moment = new Date(this.startMs + this.time * 1000);
      return this.formatter().format(moment) + "." + Math.floor(moment.getMilliseconds() / 100);
    },
  },
  watch: {
    slow(slow) { this.$refs.video.playbackRate = slow ? 0.25 : 1; },
  },
  mounted() {
    this.duration = Math.max(this.length, 0.1);
    this.resized = new ResizeObserver(() => { this.barWidth = this.$refs.bar?.clientWidth || 900; });
    this.resized.observe(this.$refs.bar);
    this.key = (event) => this.onKey(event);
    document.addEventListener("keydown", this.key);
    const follow = () => {
      if (this.gone) return;
      if (this.playing) this.sync();
      requestAnimationFrame(follow);
    };
    follow();
  },
  beforeUnmount() {
    this.gone = true;
    this.resized.disconnect();
    document.removeEventListener("keydown", this.key);
  },
  methods: {
    loaded() {
      const video = this.$refs.video;
      if (Number.isFinite(video.duration)) this.duration = video.duration;
      if (video.videoWidth) this.ratio = `${video.videoWidth} / ${video.videoHeight}`;
      this.seek(this.wanted ?? this.from);
    },
    sync() { this.time = this.$refs.video?.currentTime ?? 0; },
    percent(t) { return `${(100 * Math.min(Math.max(t / this.duration, 0), 1)).toFixed(3)}%`; },
    place(box) {
      return {
        left: `${box.x * 100}%`, top: `${box.y * 100}%`,
        width: `${box.w * 100}%`, height: `${box.h * 100}%`, opacity: box.opacity,
      };
    },
    clock(t) {
      const tenths = Math.round(t * 10);
      const seconds = Math.floor(tenths / 10) % 60;
      return `${Math.floor(tenths / 600)}:${String(seconds).padStart(2, "0")}.${tenths % 10}`;
    },
    formatter() {
      const style = { timeStyle: "medium", hourCycle: "h23" };
      try {
        return new Intl.DateTimeFormat("sv-SE", { ...style, timeZone: this.zone });
      } catch (error) { // a zone this browser does not know
        return new Intl.DateTimeFormat("sv-SE", { ...style, timeZone: "UTC" });
      }
    },
    toggle() {
      const video = this.$refs.video;
      if (!this.clip) return;
      if (video.paused) video.play().catch(() => {}); // interrupted by a seek: the next press plays
      else video.pause();
    },
    seek(t) {
      const video = this.$refs.video;
      video.pause();
      this.wanted = t;
      if (video.readyState < 1) return; // loaded() comes back to it
      video.currentTime = Math.min(Math.max(t, 0), this.duration);
      this.time = video.currentTime;
      this.wanted = undefined;
    },
    pick(id) {
      const mark = this.marks.find((one) => one.id === id);
      if (!mark) return;
      this.picked = id;
      this.seek(mark.t);
      for (const card of document.querySelectorAll("[data-antecedent]")) {
        card.setAttribute("aria-pressed", String(card.dataset.antecedent === id));
      }
    },
    step(direction) {
      this.picked = "";
      this.seek(this.$refs.video.currentTime + direction * FRAME_S);
    },
    grab(event) {
      const bar = this.$refs.bar;
      const move = (at) => {
        const area = bar.getBoundingClientRect();
        this.seek(((at.clientX - area.left) / area.width) * this.duration);
      };
      const drop = () => {
        window.removeEventListener("pointermove", move);
        window.removeEventListener("pointerup", drop);
      };
      window.addEventListener("pointermove", move);
      window.addEventListener("pointerup", drop);
      this.picked = "";
      move(event);
    },
    barKey(event) {
      const to = { Home: 0, End: this.duration, PageUp: this.time + 5, PageDown: this.time - 5 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.seek(to);
    },
    onKey(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const on = event.target;
      if (on instanceof HTMLElement && on.closest("input, textarea, select, [contenteditable]")) return;
      const pressing = on instanceof HTMLElement && on.closest("button, a, summary, [role=button]");
      if (event.key === " " && !pressing) this.toggle();
      else if (event.key === "ArrowLeft") this.step(-1);
      else if (event.key === "ArrowRight") this.step(1);
      else if (["1", "2", "3"].includes(event.key)) this.pick(`antecedent_${event.key}`);
      else if (event.key === "c" || event.key === "C") this.pick("contact");
      else return;
      event.preventDefault();
    },
  },
};
