//! The fields of the API server's internal types (`pkg/apis/core/types.go`), in their order.
//!
//! Structures that are rare in pods are taken as they are outside.

/// A field.
pub(super) struct Field {
    /// Its name inside.
    pub(super) go: &'static str,
    /// Its name outside.
    pub(super) json: &'static str,
    /// What it holds.
    pub(super) form: Form,
}

/// What a field holds, and so what it shows when it is not set.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// A text, else empty.
    Text,
    /// A boolean, else false.
    Flag,
    /// A number (or a port's name), else 0.
    Number,
    /// A structure that is always there.
    Inline(&'static [Field]),
    /// A structure, else null.
    Struct(&'static [Field]),
    /// A list of structures, else null.
    List(&'static [Field]),
    /// Anything that is the same inside and outside, else null.
    Plain,
}

const fn field(go: &'static str, json: &'static str, form: Form) -> Field {
    Field { go, json, form }
}

/// A pod spec.
pub(super) static POD_SPEC: &[Field] = &[
    field("Volumes", "volumes", Form::List(VOLUME)),
    field("InitContainers", "initContainers", Form::List(CONTAINER)),
    field("Containers", "containers", Form::List(CONTAINER)),
    field("EphemeralContainers", "ephemeralContainers", Form::Plain),
    field("RestartPolicy", "restartPolicy", Form::Text),
    field("TerminationGracePeriodSeconds", "terminationGracePeriodSeconds", Form::Plain),
    field("ActiveDeadlineSeconds", "activeDeadlineSeconds", Form::Plain),
    field("DNSPolicy", "dnsPolicy", Form::Text),
    field("NodeSelector", "nodeSelector", Form::Plain),
    field("ServiceAccountName", "serviceAccountName", Form::Text),
    field("AutomountServiceAccountToken", "automountServiceAccountToken", Form::Plain),
    field("NodeName", "nodeName", Form::Text),
    field("SecurityContext", "securityContext", Form::Struct(POD_SECURITY)),
    field("ImagePullSecrets", "imagePullSecrets", Form::List(NAMED)),
    field("Hostname", "hostname", Form::Text),
    field("Subdomain", "subdomain", Form::Text),
    field("SetHostnameAsFQDN", "setHostnameAsFQDN", Form::Plain),
    field("Affinity", "affinity", Form::Struct(AFFINITY)),
    field("SchedulerName", "schedulerName", Form::Text),
    field("Tolerations", "tolerations", Form::List(TOLERATION)),
    field("HostAliases", "hostAliases", Form::List(HOST_ALIAS)),
    field("PriorityClassName", "priorityClassName", Form::Text),
    field("Priority", "priority", Form::Plain),
    field("PreemptionPolicy", "preemptionPolicy", Form::Plain),
    field("DNSConfig", "dnsConfig", Form::Struct(DNS)),
    field("ReadinessGates", "readinessGates", Form::List(READINESS_GATE)),
    field("RuntimeClassName", "runtimeClassName", Form::Plain),
    field("Overhead", "overhead", Form::Plain),
    field("EnableServiceLinks", "enableServiceLinks", Form::Plain),
    field("TopologySpreadConstraints", "topologySpreadConstraints", Form::List(SPREAD)),
    field("OS", "os", Form::Struct(NAMED)),
    field("SchedulingGates", "schedulingGates", Form::List(NAMED)),
    field("ResourceClaims", "resourceClaims", Form::List(CLAIM)),
    field("Resources", "resources", Form::Struct(RESOURCES)),
    field("HostnameOverride", "hostnameOverride", Form::Plain),
    field("SchedulingGroup", "schedulingGroup", Form::Plain),
];
/// A reference by name.
static NAMED: &[Field] = &[field("Name", "name", Form::Text)];
/// The security context of a pod.
static POD_SECURITY: &[Field] = &[
    field("HostNetwork", "hostNetwork", Form::Flag),
    field("HostPID", "hostPID", Form::Flag),
    field("HostIPC", "hostIPC", Form::Flag),
    field("ShareProcessNamespace", "shareProcessNamespace", Form::Plain),
    field("HostUsers", "hostUsers", Form::Plain),
    field("SELinuxOptions", "seLinuxOptions", Form::Plain),
    field("WindowsOptions", "windowsOptions", Form::Plain),
    field("RunAsUser", "runAsUser", Form::Plain),
    field("RunAsGroup", "runAsGroup", Form::Plain),
    field("RunAsNonRoot", "runAsNonRoot", Form::Plain),
    field("SupplementalGroups", "supplementalGroups", Form::Plain),
    field("SupplementalGroupsPolicy", "supplementalGroupsPolicy", Form::Plain),
    field("FSGroup", "fsGroup", Form::Plain),
    field("FSGroupChangePolicy", "fsGroupChangePolicy", Form::Plain),
    field("Sysctls", "sysctls", Form::Plain),
    field("SeccompProfile", "seccompProfile", Form::Struct(SECCOMP)),
    field("AppArmorProfile", "appArmorProfile", Form::Plain),
    field("SELinuxChangePolicy", "seLinuxChangePolicy", Form::Plain),
];
/// A seccomp profile.
static SECCOMP: &[Field] =
    &[field("Type", "type", Form::Text), field("LocalhostProfile", "localhostProfile", Form::Plain)];
/// A container.
static CONTAINER: &[Field] = &[
    field("Name", "name", Form::Text),
    field("Image", "image", Form::Text),
    field("Command", "command", Form::Plain),
    field("Args", "args", Form::Plain),
    field("WorkingDir", "workingDir", Form::Text),
    field("Ports", "ports", Form::List(PORT)),
    field("EnvFrom", "envFrom", Form::List(ENV_FROM)),
    field("Env", "env", Form::List(ENV)),
    field("Resources", "resources", Form::Inline(RESOURCES)),
    field("ResizePolicy", "resizePolicy", Form::List(RESIZE)),
    field("RestartPolicy", "restartPolicy", Form::Plain),
    field("RestartPolicyRules", "restartPolicyRules", Form::Plain),
    field("VolumeMounts", "volumeMounts", Form::List(MOUNT)),
    field("VolumeDevices", "volumeDevices", Form::List(DEVICE)),
    field("LivenessProbe", "livenessProbe", Form::Struct(PROBE)),
    field("ReadinessProbe", "readinessProbe", Form::Struct(PROBE)),
    field("StartupProbe", "startupProbe", Form::Struct(PROBE)),
    field("Lifecycle", "lifecycle", Form::Struct(LIFECYCLE)),
    field("TerminationMessagePath", "terminationMessagePath", Form::Text),
    field("TerminationMessagePolicy", "terminationMessagePolicy", Form::Text),
    field("ImagePullPolicy", "imagePullPolicy", Form::Text),
    field("SecurityContext", "securityContext", Form::Struct(SECURITY)),
    field("Stdin", "stdin", Form::Flag),
    field("StdinOnce", "stdinOnce", Form::Flag),
    field("TTY", "tty", Form::Flag),
];
/// A port of a container.
static PORT: &[Field] = &[
    field("Name", "name", Form::Text),
    field("HostPort", "hostPort", Form::Number),
    field("ContainerPort", "containerPort", Form::Number),
    field("Protocol", "protocol", Form::Text),
    field("HostIP", "hostIP", Form::Text),
];
/// A source of many variables.
static ENV_FROM: &[Field] = &[
    field("Prefix", "prefix", Form::Text),
    field("ConfigMapRef", "configMapRef", Form::Struct(OPTIONAL_REF)),
    field("SecretRef", "secretRef", Form::Struct(OPTIONAL_REF)),
];
/// A reference that may dangle.
static OPTIONAL_REF: &[Field] =
    &[field("Name", "name", Form::Text), field("Optional", "optional", Form::Plain)];
/// A variable.
static ENV: &[Field] = &[
    field("Name", "name", Form::Text),
    field("Value", "value", Form::Text),
    field("ValueFrom", "valueFrom", Form::Struct(ENV_SOURCE)),
];
/// Where a value comes from.
static ENV_SOURCE: &[Field] = &[
    field("FieldRef", "fieldRef", Form::Struct(FIELD_REF)),
    field("ResourceFieldRef", "resourceFieldRef", Form::Struct(RESOURCE_REF)),
    field("ConfigMapKeyRef", "configMapKeyRef", Form::Struct(KEY_REF)),
    field("SecretKeyRef", "secretKeyRef", Form::Struct(KEY_REF)),
    field("FileKeyRef", "fileKeyRef", Form::Plain),
];
/// A field of the pod.
static FIELD_REF: &[Field] =
    &[field("APIVersion", "apiVersion", Form::Text), field("FieldPath", "fieldPath", Form::Text)];
/// A resource of a container.
static RESOURCE_REF: &[Field] = &[
    field("ContainerName", "containerName", Form::Text),
    field("Resource", "resource", Form::Text),
    field("Divisor", "divisor", Form::Text),
];
/// A key of a map.
static KEY_REF: &[Field] = &[
    field("Name", "name", Form::Text),
    field("Key", "key", Form::Text),
    field("Optional", "optional", Form::Plain),
];
/// Requests and limits.
static RESOURCES: &[Field] = &[
    field("Limits", "limits", Form::Plain),
    field("Requests", "requests", Form::Plain),
    field("Claims", "claims", Form::Plain),
];
/// What a resize needs.
static RESIZE: &[Field] =
    &[field("ResourceName", "resourceName", Form::Text), field("RestartPolicy", "restartPolicy", Form::Text)];
/// A mounted volume.
static MOUNT: &[Field] = &[
    field("Name", "name", Form::Text),
    field("ReadOnly", "readOnly", Form::Flag),
    field("RecursiveReadOnly", "recursiveReadOnly", Form::Plain),
    field("MountPath", "mountPath", Form::Text),
    field("SubPath", "subPath", Form::Text),
    field("MountPropagation", "mountPropagation", Form::Plain),
    field("SubPathExpr", "subPathExpr", Form::Text),
];
/// A block device.
static DEVICE: &[Field] = &[field("Name", "name", Form::Text), field("DevicePath", "devicePath", Form::Text)];
/// A probe.
static PROBE: &[Field] = &[
    field("Exec", "exec", Form::Struct(EXEC)),
    field("HTTPGet", "httpGet", Form::Struct(HTTP_GET)),
    field("TCPSocket", "tcpSocket", Form::Struct(TCP_SOCKET)),
    field("GRPC", "grpc", Form::Struct(GRPC)),
    field("InitialDelaySeconds", "initialDelaySeconds", Form::Number),
    field("TimeoutSeconds", "timeoutSeconds", Form::Number),
    field("PeriodSeconds", "periodSeconds", Form::Number),
    field("SuccessThreshold", "successThreshold", Form::Number),
    field("FailureThreshold", "failureThreshold", Form::Number),
    field("TerminationGracePeriodSeconds", "terminationGracePeriodSeconds", Form::Plain),
];
/// A command.
static EXEC: &[Field] = &[field("Command", "command", Form::Plain)];
/// A request.
static HTTP_GET: &[Field] = &[
    field("Path", "path", Form::Text),
    field("Port", "port", Form::Number),
    field("Host", "host", Form::Text),
    field("Scheme", "scheme", Form::Text),
    field("HTTPHeaders", "httpHeaders", Form::List(HEADER)),
];
/// A header.
static HEADER: &[Field] = &[field("Name", "name", Form::Text), field("Value", "value", Form::Text)];
/// A connection.
static TCP_SOCKET: &[Field] = &[field("Port", "port", Form::Number), field("Host", "host", Form::Text)];
/// A health check.
static GRPC: &[Field] = &[field("Port", "port", Form::Number), field("Service", "service", Form::Plain)];
/// Hooks.
static LIFECYCLE: &[Field] = &[
    field("PostStart", "postStart", Form::Struct(HANDLER)),
    field("PreStop", "preStop", Form::Struct(HANDLER)),
    field("StopSignal", "stopSignal", Form::Plain),
];
/// A hook.
static HANDLER: &[Field] = &[
    field("Exec", "exec", Form::Struct(EXEC)),
    field("HTTPGet", "httpGet", Form::Struct(HTTP_GET)),
    field("TCPSocket", "tcpSocket", Form::Struct(TCP_SOCKET)),
    field("Sleep", "sleep", Form::Struct(SLEEP)),
];
/// A pause.
static SLEEP: &[Field] = &[field("Seconds", "seconds", Form::Number)];
/// The security context of a container.
static SECURITY: &[Field] = &[
    field("Capabilities", "capabilities", Form::Struct(CAPABILITIES)),
    field("Privileged", "privileged", Form::Plain),
    field("SELinuxOptions", "seLinuxOptions", Form::Plain),
    field("WindowsOptions", "windowsOptions", Form::Plain),
    field("RunAsUser", "runAsUser", Form::Plain),
    field("RunAsGroup", "runAsGroup", Form::Plain),
    field("RunAsNonRoot", "runAsNonRoot", Form::Plain),
    field("ReadOnlyRootFilesystem", "readOnlyRootFilesystem", Form::Plain),
    field("AllowPrivilegeEscalation", "allowPrivilegeEscalation", Form::Plain),
    field("ProcMount", "procMount", Form::Plain),
    field("SeccompProfile", "seccompProfile", Form::Struct(SECCOMP)),
    field("AppArmorProfile", "appArmorProfile", Form::Plain),
];
/// Capabilities.
static CAPABILITIES: &[Field] = &[field("Add", "add", Form::Plain), field("Drop", "drop", Form::Plain)];
/// A toleration.
static TOLERATION: &[Field] = &[
    field("Key", "key", Form::Text),
    field("Operator", "operator", Form::Text),
    field("Value", "value", Form::Text),
    field("Effect", "effect", Form::Text),
    field("TolerationSeconds", "tolerationSeconds", Form::Plain),
];
/// A line of /etc/hosts.
static HOST_ALIAS: &[Field] = &[field("IP", "ip", Form::Text), field("Hostnames", "hostnames", Form::Plain)];
/// Name resolution.
static DNS: &[Field] = &[
    field("Nameservers", "nameservers", Form::Plain),
    field("Searches", "searches", Form::Plain),
    field("Options", "options", Form::List(DNS_OPTION)),
];
/// An option of the resolver.
static DNS_OPTION: &[Field] = &[field("Name", "name", Form::Text), field("Value", "value", Form::Plain)];
/// A readiness gate.
static READINESS_GATE: &[Field] = &[field("ConditionType", "conditionType", Form::Text)];
/// A spread constraint.
static SPREAD: &[Field] = &[
    field("MaxSkew", "maxSkew", Form::Number),
    field("TopologyKey", "topologyKey", Form::Text),
    field("WhenUnsatisfiable", "whenUnsatisfiable", Form::Text),
    field("LabelSelector", "labelSelector", Form::Plain),
    field("MinDomains", "minDomains", Form::Plain),
    field("NodeAffinityPolicy", "nodeAffinityPolicy", Form::Plain),
    field("NodeTaintsPolicy", "nodeTaintsPolicy", Form::Plain),
    field("MatchLabelKeys", "matchLabelKeys", Form::Plain),
];
/// A device claim.
static CLAIM: &[Field] = &[
    field("Name", "name", Form::Text),
    field("ResourceClaimName", "resourceClaimName", Form::Plain),
    field("ResourceClaimTemplateName", "resourceClaimTemplateName", Form::Plain),
];
/// Affinity.
static AFFINITY: &[Field] = &[
    field("NodeAffinity", "nodeAffinity", Form::Struct(NODE_AFFINITY)),
    field("PodAffinity", "podAffinity", Form::Struct(POD_AFFINITY)),
    field("PodAntiAffinity", "podAntiAffinity", Form::Struct(POD_AFFINITY)),
];
/// Node affinity.
static NODE_AFFINITY: &[Field] = &[
    field(
        "RequiredDuringSchedulingIgnoredDuringExecution",
        "requiredDuringSchedulingIgnoredDuringExecution",
        Form::Struct(NODE_SELECTOR),
    ),
    field(
        "PreferredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
        Form::List(NODE_PREFERENCE),
    ),
];
/// A node selector.
static NODE_SELECTOR: &[Field] = &[field("NodeSelectorTerms", "nodeSelectorTerms", Form::List(NODE_TERM))];
/// A term of a node selector.
static NODE_TERM: &[Field] = &[
    field("MatchExpressions", "matchExpressions", Form::List(REQUIREMENT)),
    field("MatchFields", "matchFields", Form::List(REQUIREMENT)),
];
/// A requirement.
static REQUIREMENT: &[Field] = &[
    field("Key", "key", Form::Text),
    field("Operator", "operator", Form::Text),
    field("Values", "values", Form::Plain),
];
/// A preference for nodes.
static NODE_PREFERENCE: &[Field] =
    &[field("Weight", "weight", Form::Number), field("Preference", "preference", Form::Inline(NODE_TERM))];
/// Affinity to pods.
static POD_AFFINITY: &[Field] = &[
    field(
        "RequiredDuringSchedulingIgnoredDuringExecution",
        "requiredDuringSchedulingIgnoredDuringExecution",
        Form::List(POD_TERM),
    ),
    field(
        "PreferredDuringSchedulingIgnoredDuringExecution",
        "preferredDuringSchedulingIgnoredDuringExecution",
        Form::List(POD_PREFERENCE),
    ),
];
/// A term of affinity to pods.
static POD_TERM: &[Field] = &[
    field("LabelSelector", "labelSelector", Form::Plain),
    field("Namespaces", "namespaces", Form::Plain),
    field("TopologyKey", "topologyKey", Form::Text),
    field("NamespaceSelector", "namespaceSelector", Form::Plain),
    field("MatchLabelKeys", "matchLabelKeys", Form::Plain),
    field("MismatchLabelKeys", "mismatchLabelKeys", Form::Plain),
];
/// A preference for pods.
static POD_PREFERENCE: &[Field] = &[
    field("Weight", "weight", Form::Number),
    field("PodAffinityTerm", "podAffinityTerm", Form::Inline(POD_TERM)),
];
/// A volume.
static VOLUME: &[Field] = &[
    field("Name", "name", Form::Text),
    field("HostPath", "hostPath", Form::Struct(HOST_PATH)),
    field("EmptyDir", "emptyDir", Form::Struct(EMPTY_DIR)),
    field("GCEPersistentDisk", "gcePersistentDisk", Form::Plain),
    field("AWSElasticBlockStore", "awsElasticBlockStore", Form::Plain),
    field("GitRepo", "gitRepo", Form::Plain),
    field("Secret", "secret", Form::Struct(SECRET_VOLUME)),
    field("NFS", "nfs", Form::Struct(NFS)),
    field("ISCSI", "iscsi", Form::Plain),
    field("Glusterfs", "glusterfs", Form::Plain),
    field("PersistentVolumeClaim", "persistentVolumeClaim", Form::Struct(PVC)),
    field("RBD", "rbd", Form::Plain),
    field("Quobyte", "quobyte", Form::Plain),
    field("FlexVolume", "flexVolume", Form::Plain),
    field("Cinder", "cinder", Form::Plain),
    field("CephFS", "cephfs", Form::Plain),
    field("Flocker", "flocker", Form::Plain),
    field("DownwardAPI", "downwardAPI", Form::Struct(DOWNWARD)),
    field("FC", "fc", Form::Plain),
    field("AzureFile", "azureFile", Form::Plain),
    field("ConfigMap", "configMap", Form::Struct(CONFIG_VOLUME)),
    field("VsphereVolume", "vsphereVolume", Form::Plain),
    field("AzureDisk", "azureDisk", Form::Plain),
    field("PhotonPersistentDisk", "photonPersistentDisk", Form::Plain),
    field("Projected", "projected", Form::Struct(PROJECTED)),
    field("PortworxVolume", "portworxVolume", Form::Plain),
    field("ScaleIO", "scaleIO", Form::Plain),
    field("StorageOS", "storageos", Form::Plain),
    field("CSI", "csi", Form::Plain),
    field("Ephemeral", "ephemeral", Form::Plain),
    field("Image", "image", Form::Plain),
];
/// A path of the host.
static HOST_PATH: &[Field] = &[field("Path", "path", Form::Text), field("Type", "type", Form::Plain)];
/// An empty directory.
static EMPTY_DIR: &[Field] =
    &[field("Medium", "medium", Form::Text), field("SizeLimit", "sizeLimit", Form::Plain)];
/// A secret as files.
static SECRET_VOLUME: &[Field] = &[
    field("SecretName", "secretName", Form::Text),
    field("Items", "items", Form::List(KEY_PATH)),
    field("DefaultMode", "defaultMode", Form::Plain),
    field("Optional", "optional", Form::Plain),
];
/// A config map as files.
static CONFIG_VOLUME: &[Field] = &[
    field("Name", "name", Form::Text),
    field("Items", "items", Form::List(KEY_PATH)),
    field("DefaultMode", "defaultMode", Form::Plain),
    field("Optional", "optional", Form::Plain),
];
/// A key as a file.
static KEY_PATH: &[Field] =
    &[field("Key", "key", Form::Text), field("Path", "path", Form::Text), field("Mode", "mode", Form::Plain)];
/// A share.
static NFS: &[Field] = &[
    field("Server", "server", Form::Text),
    field("Path", "path", Form::Text),
    field("ReadOnly", "readOnly", Form::Flag),
];
/// A claim.
static PVC: &[Field] =
    &[field("ClaimName", "claimName", Form::Text), field("ReadOnly", "readOnly", Form::Flag)];
/// Fields as files.
static DOWNWARD: &[Field] =
    &[field("Items", "items", Form::List(DOWNWARD_FILE)), field("DefaultMode", "defaultMode", Form::Plain)];
/// A field as a file.
static DOWNWARD_FILE: &[Field] = &[
    field("Path", "path", Form::Text),
    field("FieldRef", "fieldRef", Form::Struct(FIELD_REF)),
    field("ResourceFieldRef", "resourceFieldRef", Form::Struct(RESOURCE_REF)),
    field("Mode", "mode", Form::Plain),
];
/// Several sources in one directory.
static PROJECTED: &[Field] =
    &[field("Sources", "sources", Form::List(PROJECTION)), field("DefaultMode", "defaultMode", Form::Plain)];
/// One of them.
static PROJECTION: &[Field] = &[
    field("Secret", "secret", Form::Struct(PROJECTED_MAP)),
    field("DownwardAPI", "downwardAPI", Form::Struct(PROJECTED_DOWNWARD)),
    field("ConfigMap", "configMap", Form::Struct(PROJECTED_MAP)),
    field("ServiceAccountToken", "serviceAccountToken", Form::Struct(TOKEN)),
    field("ClusterTrustBundle", "clusterTrustBundle", Form::Plain),
    field("PodCertificate", "podCertificate", Form::Plain),
];
/// A map among them.
static PROJECTED_MAP: &[Field] = &[
    field("Name", "name", Form::Text),
    field("Items", "items", Form::List(KEY_PATH)),
    field("Optional", "optional", Form::Plain),
];
/// Fields among them.
static PROJECTED_DOWNWARD: &[Field] = &[field("Items", "items", Form::List(DOWNWARD_FILE))];
/// A token.
static TOKEN: &[Field] = &[
    field("Audience", "audience", Form::Text),
    field("ExpirationSeconds", "expirationSeconds", Form::Number),
    field("Path", "path", Form::Text),
];
