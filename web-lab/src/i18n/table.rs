//! Every sentence of the page, in both languages.

use super::Lang;

macro_rules! messages {
    ($($(#[$on:meta])* $name:ident: $en:literal, $ko:literal;)*) => {
        /// A sentence of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is explained by its sentence in the table")]
        pub enum Msg { $($(#[$on])* $name,)* }

        impl Msg {
            /// Every sentence there is.
            pub const ALL: &'static [Self] = &[$($(#[$on])* Self::$name,)*];

            /// The sentence in that language.
            pub const fn text(self, lang: Lang) -> &'static str {
                match (self, lang) { $($(#[$on])* (Self::$name, Lang::En) => $en, $(#[$on])* (Self::$name, Lang::Ko) => $ko,)* }
            }
        }
    };
}

messages! {
    // The parts of the page.
    Exercise: "Exercise", "실습";
    Files: "Files", "파일";
    Terminal: "Terminal", "터미널";
    Cluster: "Cluster", "클러스터";
    Objects: "Objects", "오브젝트";
    Panels: "Parts of the lab", "실습실의 부분";
    SkipLinks: "Skip to", "바로 가기";
    Menu: "Menu", "메뉴";
    Book: "The book", "교재";
    Close: "Close", "닫기";
    Cancel: "Cancel", "취소";
    Back: "Back", "뒤로";

    // The bar at the top.
    Undo: "Undo", "되돌리기";
    UndoTitle: "Take the last command back", "마지막 명령을 되돌립니다";
    Reset: "Start over", "처음부터";
    ResetTitle: "Start the exercise over", "실습을 처음부터 다시 시작합니다";
    ResetQuestion: "The cluster, the files and the terminal of this exercise go back to the beginning. This cannot be undone; export a file first if you want to keep them.", "이 실습의 클러스터, 파일, 터미널이 처음 상태로 돌아갑니다. 취소할 수 없으니, 남기고 싶으면 먼저 파일로 내보내세요.";
    Export: "Save to a file", "파일로 내보내기";
    Import: "Open a file…", "파일에서 가져오기…";
    Share: "Copy a link to this moment", "이 순간의 링크 복사";
    Dark: "Dark theme", "어두운 테마";
    LinkCopied: "The link is in the address bar and on the clipboard.", "링크를 주소창과 클립보드에 넣었습니다.";
    LinkTooLong: "So much has happened that a link would be too long. Save to a file instead.", "그동안 일어난 일이 많아 링크가 너무 길어집니다. 파일로 내보내세요.";

    // The exercise.
    AboutMinutes: "about {0} min", "약 {0}분";
    Commands: "commands: {0}", "명령 {0}개";
    TimeTaken: "cluster time: {0}", "클러스터 시간: {0}";
    IdleGpuTime: "GPU time held idle: {0}", "놀린 GPU 시간: {0}";
    HintsRead: "hints read: {0}", "본 힌트 {0}개";
    StepsDone: "Steps done", "마친 단계";
    StepDone: "done", "완료";
    StepCurrent: "current step", "현재 단계";
    StepLater: "not done yet", "아직 안 함";
    StepReached: "Done: {0}", "완료: {0}";
    AllDone: "All steps done", "모든 단계를 마쳤습니다";
    WrongTurn: "Something went another way", "다른 길로 들어섰습니다";
    Goal: "Goal", "목표";
    Now: "Now", "현재";
    Hint: "Give me a hint", "힌트 보기";
    NextHint: "Next hint ({0} of {1})", "다음 힌트 ({1}개 중 {0}번째)";
    PredictFirst: "Before time goes on: what will happen?", "시간이 흐르기 전에: 어떻게 될까요?";
    Predict: "That is my prediction", "이렇게 예상합니다";
    YourAnswer: "Your answer", "답";
    PredictedRight: "You predicted it", "예상이 맞았습니다";
    PredictedWrong: "It came out differently", "결과가 예상과 달랐습니다";
    YouSaid: "You said {0}; the cluster says {1}.", "예상: {0} / 클러스터: {1}";

    // The editor.
    NewFile: "New file", "새 파일";
    FileName: "Name", "이름";
    Create: "Create", "만들기";
    FileNameInvalid: "A relative path without “..”, such as pod.yaml", "pod.yaml처럼 ‘..’이 없는 상대 경로여야 합니다";
    FileNameTaken: "There is a file of that name.", "같은 이름의 파일이 있습니다.";
    FileHasProblems: "This file has problems", "이 파일에 문제가 있습니다";
    FileTooBigForColours: "Too big for colours.", "파일이 커서 색을 입히지 않습니다.";
    NoFiles: "There are no files yet.", "아직 파일이 없습니다.";
    EditorOf: "Text of {0}", "{0}의 내용";
    EditorHelp: "Tab indents. Press Escape, then Tab, to leave the editor.", "Tab은 들여쓰기입니다. 편집기를 나가려면 Escape를 누른 다음 Tab을 누르세요.";

    // The terminal.
    TerminalLog: "Terminal output", "터미널 출력";
    TerminalInput: "Command", "명령";
    TerminalBusy: "A program is running. Ctrl-C ends it.", "프로그램이 실행 중입니다. Ctrl-C로 끝냅니다.";
    TerminalStill: "A program waits, and time stands still. Press play (Alt+P), or Ctrl-C to end it.", "프로그램이 기다리는데 시간이 멈춰 있습니다. 재생(Alt+P)하거나 Ctrl-C로 끝내세요.";
    TerminalAsked: "Time stands still: the exercise asks for your prediction first. (Play goes on without it.)", "시간이 멈춰 있습니다. 실습이 먼저 예상을 묻고 있습니다. (재생하면 그냥 진행합니다.)";
    TerminalPast: "You are looking at the past, where nothing can be typed.", "과거를 보고 있어 입력할 수 없습니다.";

    // The clock.
    Clock: "Clock", "시계";
    ClockTitle: "Time since the lab was switched on", "실습실을 켠 뒤 흐른 시간";
    Play: "Let time pass", "시간 재생";
    Pause: "Let time stand still", "시간 멈춤";
    Step: "+1 s", "+1초";
    StepTitle: "One second on", "시간을 1초 보냅니다";
    NextEvent: "Next event", "다음 사건";
    NextEventIn: "Something happens in {0}", "{0} 뒤에 일이 있습니다";
    NextEventNone: "Nothing is going to happen", "예정된 일이 없습니다";
    Speed: "Speed: simulated seconds per second", "속도: 1초에 흐르는 시간(초)";
    Timeline: "Time line: drag to look back", "시간선: 끌어서 과거를 봅니다";
    Advancing: "Time is passing", "시간이 흐르는 중";
    LookingBack: "You are looking at {0}.", "{0}의 모습을 보고 있습니다.";
    BackToPresent: "Back to the present", "현재로 돌아가기";
    ContinueHere: "Continue from here", "여기서부터 계속하기";
    LookAtMoment: "Look at this moment", "이 순간을 봅니다";

    // The picture.
    ClusterSummary: "nodes {0} · GPUs {2}/{1} · waiting {3}", "노드 {0} · GPU {2}/{1} · 대기 {3}";
    ShowAsTable: "As a table", "표로 보기";
    ShowAsPicture: "As a picture", "그림으로 보기";
    Waiting: "Waiting for a node", "노드를 기다리는 파드";
    NobodyWaits: "No pod is waiting", "기다리는 파드가 없습니다";
    NoPodsHere: "no pods", "파드 없음";
    Legend: "Legend", "범례";
    GpuFree: "free", "비어 있음";
    GpuHeld: "given out, idle", "할당됨, 쉬는 중";
    GpuBusy: "working", "작동 중";
    GpuUnhealthy: "unhealthy", "이상";
    NodeSummary: "{0}: {1}; {2} GPUs, {3} given out, {4} free, {5} unhealthy", "{0}: {1}, GPU {2}개, 사용 {3}, 비어 있음 {4}, 이상 {5}";

    // The lists.
    Pods: "Pods", "파드";
    Pod: "Pod", "파드";
    Nodes: "Nodes", "노드";
    Node: "Node", "노드";
    Events: "Events", "이벤트";
    Name: "Name", "이름";
    Namespace: "Namespace", "네임스페이스";
    Status: "Status", "상태";
    Ready: "Ready", "준비";
    Age: "Age", "나이";
    Created: "Created at", "생성 시각";
    Requests: "Asks for", "요청";
    Cpu: "CPU", "CPU";
    Memory: "Memory", "메모리";
    Gpus: "GPUs", "GPU";
    GpuModel: "GPU model", "GPU 모델";
    Taints: "Taints", "테인트";
    Labels: "Labels", "레이블";
    Containers: "Containers", "컨테이너";
    ContainerWaiting: "waiting: {0} {1}", "대기: {0} {1}";
    ContainerRunning: "running since {0}", "{0}부터 실행 중";
    ContainerTerminated: "{0}, exit code {1}, at {2}", "{0}, 종료 코드 {1}, {2}";
    Restarts: "restarts: {0}", "재시작 {0}회";
    NoPods: "There are no pods yet.", "아직 파드가 없습니다.";
    NoEvents: "No events.", "이벤트가 없습니다.";
    AndMore: "… and {0} more", "… 외 {0}개";

    // Why.
    WhyTitle: "Why here, why not there", "왜 여기이고 왜 저기가 아닌가";
    WhyNothing: "The scheduler has not looked at this pod.", "스케줄러가 아직 이 파드를 살펴보지 않았습니다.";
    WhyChosen: "The scheduler looked at {1} nodes, {2} of them fit, and it chose {0}.", "스케줄러가 노드 {1}대를 살펴보았고, {2}대가 맞았으며, {0}을(를) 골랐습니다.";
    WhyNone: "The scheduler looked at {0} nodes, and none of them fits:", "스케줄러가 노드 {0}대를 살펴보았지만 맞는 노드가 없습니다:";
    Attempt: "Attempt", "시도";
    ShowVerdicts: "Verdict on every node", "노드별 판정";
    Verdict: "Verdict", "판정";
    Total: "Total", "합계";
    Chosen: "chosen", "선택됨";
    Fits: "fits", "맞음";
    PointsExplained: "Points: each plugin's score brought into 0 to 100, times its weight; small, the plugin's own measure where it differs.", "점수는 플러그인이 매긴 값을 0~100으로 맞춘 뒤 가중치를 곱한 것입니다. 작은 숫자는 플러그인이 처음 매긴 값입니다(다를 때만).";
    RawPoints: "before it was brought into 0 to 100: {0}", "0~100으로 맞추기 전: {0}";
    Candidates: "Whose pods could make room", "누구의 파드가 자리를 낼 수 있는가";
    NoCandidates: "No pod of lower priority could make room for it.", "우선순위가 더 낮은 파드를 내보내도 자리가 나지 않습니다.";
    Victims: "Pods that would have to go", "나가야 할 파드";
    BudgetsViolated: "Budgets broken", "어기는 예산(PDB)";
    PluginNodeResourcesFit: "asks whether what the pod requests is still free, and scores how much is left", "파드가 요청한 자원이 남아 있는지 보고, 남는 양에 점수를 줍니다";
    PluginBalancedAllocation: "prefers nodes whose resources are used evenly", "자원이 고르게 쓰이는 노드에 점수를 줍니다";
    PluginTaintToleration: "asks whether the pod tolerates the node's taints", "파드가 노드의 테인트를 견디는지 봅니다";
    PluginNodeAffinity: "compares the node's labels with the pod's nodeSelector and affinity", "노드의 레이블을 파드의 nodeSelector, affinity와 견줍니다";
    PluginNodeName: "asks whether the pod names this node itself", "파드가 이 노드를 직접 지목했는지 봅니다";
    PluginNodeUnschedulable: "asks whether the node is cordoned", "노드에 스케줄이 막혀 있는지(cordon) 봅니다";
    PluginNodePorts: "asks whether the host ports are free", "호스트 포트가 비어 있는지 봅니다";
    PluginImageLocality: "prefers nodes that have the image already", "이미지를 이미 가진 노드에 점수를 줍니다";
    PluginPodTopologySpread: "spreads pods over zones and nodes", "파드를 존과 노드에 고르게 퍼뜨립니다";
    PluginVolumeBinding: "asks whether the pod's volumes can be had on this node", "파드의 볼륨을 이 노드에서 쓸 수 있는지 봅니다";
    PluginVolumeZone: "asks whether the pod's volumes are in the node's zone", "파드의 볼륨이 노드와 같은 존에 있는지 봅니다";
    PluginVolumeRestrictions: "asks whether a volume may be used by one more pod here", "볼륨을 이 노드의 파드가 더 써도 되는지 봅니다";
    PluginNodeVolumeLimits: "counts the volumes that the node can still attach", "노드에 볼륨을 더 붙일 수 있는지 셉니다";
    PluginDynamicResources: "looks for devices that the pod's resource claims ask for", "파드의 리소스 클레임이 요청한 장치를 찾습니다";
    PluginInterPodAffinity: "looks at which pods are there already", "이미 어떤 파드가 있는지 봅니다";

    // Slurm.
    #[cfg(feature = "slurm")]
    Gantt: "Nodes and time", "노드와 시간";
    #[cfg(feature = "slurm")]
    GanttTitle: "Which job has which node when", "어느 작업이 언제 어느 노드를 쓰는가";
    #[cfg(feature = "slurm")]
    GanttSummary: "nodes {0} · running {1} · waiting {2} · planned {3}", "노드 {0} · 실행 {1} · 대기 {2} · 예정 {3}";
    #[cfg(feature = "slurm")]
    UnderKubernetes: "Kubernetes", "Kubernetes";
    #[cfg(feature = "slurm")]
    UnderSlurm: "Slurm", "Slurm";
    #[cfg(feature = "slurm")]
    SideSummary: "done {1}/{0} · mean wait {2} · longest {3} · GPUs busy {4} %", "끝남 {1}/{0} · 평균 대기 {2} · 최장 {3} · GPU 사용 {4} %";
    #[cfg(feature = "slurm")]
    SpanEnded: "over", "끝남";
    #[cfg(feature = "slurm")]
    SpanRunning: "runs", "실행 중";
    #[cfg(feature = "slurm")]
    SpanLimit: "until its time limit", "시간 제한까지";
    #[cfg(feature = "slurm")]
    SpanExpected: "expected", "예정";
    #[cfg(feature = "slurm")]
    SpanBackfilled: "started by backfill", "백필로 먼저 시작";
    #[cfg(feature = "slurm")]
    SpanReserved: "reserved", "예약됨";
    #[cfg(feature = "slurm")]
    BarLabel: "Job {0} of {1} on {2}, {3} to {4}: {5}, {6}", "작업 {0}({1}), 노드 {2}, {3}~{4}: {5}, {6}";
    #[cfg(feature = "slurm")]
    ReservationLabel: "Reservation {0}, {1} to {2}", "예약 {0}, {1}~{2}";
    #[cfg(feature = "slurm")]
    Queue: "Queue", "대기열";
    #[cfg(feature = "slurm")]
    Job: "Job", "작업";
    #[cfg(feature = "slurm")]
    Jobs: "Jobs", "작업";
    #[cfg(feature = "slurm")]
    User: "User", "사용자";
    #[cfg(feature = "slurm")]
    Account: "Account", "계정";
    #[cfg(feature = "slurm")]
    Partition: "Partition / QOS", "파티션 / QOS";
    #[cfg(feature = "slurm")]
    Priority: "Priority", "우선순위";
    #[cfg(feature = "slurm")]
    StartsAt: "Start", "시작";
    #[cfg(feature = "slurm")]
    Asks: "Asks for", "요청";
    #[cfg(feature = "slurm")]
    WholeNodes: "{0} × node", "노드 × {0}";
    #[cfg(feature = "slurm")]
    Start: "Started at", "시작 시각";
    #[cfg(feature = "slurm")]
    End: "Ends, ended at", "종료 시각";
    #[cfg(feature = "slurm")]
    ExpectedStart: "Expected start", "예상 시작";
    #[cfg(feature = "slurm")]
    TimeLimit: "Time limit", "시간 제한";
    #[cfg(feature = "slurm")]
    Submitted: "Submitted at", "제출 시각";
    #[cfg(feature = "slurm")]
    Dependency: "Depends on", "의존";
    #[cfg(feature = "slurm")]
    RestartCount: "Restarts", "재시작";
    #[cfg(feature = "slurm")]
    ExitCode: "Exit code", "종료 코드";
    #[cfg(feature = "slurm")]
    MemoryGib: "Memory, GiB", "메모리(GiB)";
    #[cfg(feature = "slurm")]
    NoJobs: "There are no jobs yet. Hand one in with sbatch.", "아직 작업이 없습니다. sbatch로 제출해 보세요.";
    #[cfg(feature = "slurm")]
    NoSuchJob: "At this moment there is no such job.", "이 시점에는 그런 작업이 없습니다.";
    #[cfg(feature = "slurm")]
    JobTitle: "Job {0}", "작업 {0}";
    #[cfg(feature = "slurm")]
    MadeOf: "made of {0}", "구성: {0}";
    #[cfg(feature = "slurm")]
    Fairshare: "Fair share", "공평 분배";
    #[cfg(feature = "slurm")]
    Shares: "Shares", "지분";
    #[cfg(feature = "slurm")]
    MayUse: "May use", "쓸 몫";
    #[cfg(feature = "slurm")]
    Used: "Used", "쓴 몫";
    #[cfg(feature = "slurm")]
    UsedSeconds: "{0} billed seconds", "과금 {0}초";
    #[cfg(feature = "slurm")]
    FairshareFactor: "Factor", "인자";
    #[cfg(feature = "slurm")]
    Factor: "Factor", "인자";
    #[cfg(feature = "slurm")]
    FactorValue: "Value, 0 to 1", "값(0~1)";
    #[cfg(feature = "slurm")]
    Weight: "Weight", "가중치";
    #[cfg(feature = "slurm")]
    Points: "Points", "점수";
    #[cfg(feature = "slurm")]
    PriorityIs: "Priority {0}, and what it is made of", "우선순위 {0}의 구성";
    #[cfg(feature = "slurm")]
    WhyWaits: "Why it waits", "왜 기다리는가";
    #[cfg(feature = "slurm")]
    WillStart: "Backfill has planned it for {0} on {1}. It may be earlier, if jobs end before their limits.", "백필이 {0}, 노드 {1}에 시작하도록 계획했습니다. 다른 작업이 제한보다 일찍 끝나면 더 빨라질 수 있습니다.";
    #[cfg(feature = "slurm")]
    AloneStart: "If no other job waited, it could start at {0} on {1}.", "기다리는 다른 작업이 없다면 {0}에 노드 {1}에서 시작할 수 있습니다.";
    #[cfg(feature = "slurm")]
    AheadOf: "Jobs considered before it: {0}", "먼저 고려되는 작업: {0}개";
    #[cfg(feature = "slurm")]
    HeldBy: "Who has the nodes now", "지금 노드를 쓰는 작업";
    #[cfg(feature = "slurm")]
    UntilAtMost: "until {0} at the latest", "늦어도 {0}까지";
    #[cfg(feature = "slurm")]
    StartedByBackfill: "It was started at {0} on {1} by backfill: before jobs of higher priority, because it delays none of them.", "우선순위가 더 높은 작업을 늦추지 않으므로 백필이 {0}에 노드 {1}에서 먼저 시작했습니다.";
    #[cfg(feature = "slurm")]
    StartedInTurn: "It was started at {0} on {1}, when its turn came.", "차례가 되어 {0}에 노드 {1}에서 시작했습니다.";
    #[cfg(feature = "slurm")]
    NeverStarted: "It was never started.", "시작된 적이 없습니다.";
    #[cfg(feature = "slurm")]
    BlockNothing: "The scheduler has not looked at it yet.", "스케줄러가 아직 살펴보지 않았습니다.";
    #[cfg(feature = "slurm")]
    BlockPriority: "Jobs of higher priority in its partition wait, too. It may only start before them if that delays none of them.", "같은 파티션에 우선순위가 더 높은 작업도 기다립니다. 그 작업을 늦추지 않을 때만 먼저 시작할 수 있습니다.";
    #[cfg(feature = "slurm")]
    BlockResources: "It is at the head of the queue, but what it asks for is not free.", "대기열의 맨 앞이지만 요청한 자원이 비어 있지 않습니다.";
    #[cfg(feature = "slurm")]
    BlockLimit: "A limit of its account, its QOS or its partition is reached.", "계정, QOS 또는 파티션의 한도에 걸렸습니다.";
    #[cfg(feature = "slurm")]
    BlockDependency: "It waits for another job.", "다른 작업을 기다립니다.";
    #[cfg(feature = "slurm")]
    BlockReservation: "It waits for its reservation.", "예약이 시작되기를 기다립니다.";
    #[cfg(feature = "slurm")]
    BlockBegin: "Its begin time has not come.", "시작 시각이 아직 되지 않았습니다.";
    #[cfg(feature = "slurm")]
    BlockHeld: "It is held until somebody releases it.", "보류되어 있습니다. 누군가 풀어 주어야 합니다.";
    #[cfg(feature = "slurm")]
    BlockNodes: "Nodes that it needs are down, drained or reserved.", "필요한 노드가 내려갔거나, 비워지는 중이거나, 예약되어 있습니다.";
    #[cfg(feature = "slurm")]
    BlockPartition: "Its partition starts no jobs at the moment.", "파티션이 지금 작업을 시작하지 않습니다.";
    #[cfg(feature = "slurm")]
    BlockLicenses: "The licences that it asks for are in use.", "요청한 라이선스가 모두 쓰이고 있습니다.";
    #[cfg(feature = "slurm")]
    BlockOther: "See the reason codes in squeue(1).", "squeue(1)의 이유 코드를 참고하세요.";

    // What is kept.
    SavedDamaged: "This saved lab is damaged ({0}).", "저장된 실습이 손상되었습니다({0}).";
    SavedNotALab: "This is not a saved lab.", "저장된 실습이 아닙니다.";
    SavedTooNew: "This lab was saved by a later version of this page (format {0}).", "더 새로운 버전의 페이지에서 저장한 실습입니다(형식 {0}).";
    StartedAfresh: "Your saved work could not be used, so the exercise starts afresh. {0}", "저장된 작업을 쓸 수 없어 실습을 처음부터 시작합니다. {0}";
    ExerciseNotLoaded: "The exercise could not be loaded: {0}", "실습을 불러오지 못했습니다: {0}";
    UnknownExercise: "There is no exercise “{0}” here.", "‘{0}’ 실습은 여기에 없습니다.";
    WorkerDied: "The simulation stopped unexpectedly and was started again from your last saved work. {0}", "시뮬레이션이 예기치 않게 멈춰, 마지막으로 저장된 작업에서 다시 시작했습니다. {0}";

    // Keys.
    HelpTitle: "Keys", "단축키";
    KeyNextPanel: "next part of the lab (Shift: the one before)", "다음 부분으로 (Shift와 함께: 이전)";
    KeyPlay: "play or pause", "재생 또는 멈춤";
    KeyNextEvent: "to the next event", "다음 사건으로";
    KeyStep: "one second on", "시간을 1초 보내기";
    KeyTab: "complete (terminal), indent (editor)", "자동 완성(터미널), 들여쓰기(편집기)";
    KeyEscapeTab: "leave terminal or editor", "터미널이나 편집기에서 나가기";
    KeyHistory: "earlier commands that begin the same", "같은 글자로 시작하는 이전 명령";
    KeyInterrupt: "end the running program", "실행 중인 프로그램 끝내기";
    KeyClear: "clear the terminal", "터미널 지우기";
    KeyHelp: "this list", "이 목록";
}
