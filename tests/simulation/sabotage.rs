//! The protocol, or the store under it, with one thing broken. The simulation
//! must notice each; if it does not, it proves nothing.
//!
//! See [`saboteur`](crate::saboteur) for how it is broken.

use crate::backend::Backend;

/// A sabotage: a part of the protocol or the store that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sabotage {
    ClaimSkipped,
    ClaimSet,
    ClaimUnverified,
    ClaimLate,
    RecordSet,
    RecordUnverified,
    OwnWriteUnknown,
    FenceSkipped,
    HolderIgnored,
    PendingSkipped,
    LateSet,
    AbsentKeySwapped,
    IncrementInTwoSteps,
    CosmosSum,
    CosmosCreation,
    ClaimUncounted,
    UsernameClaimSkipped,
    UsernameUnconfirmed,
    UsernameFenceSkipped,
    UsernameNumberShared,
    VoidSkipped,
    GivingUpSkipped,
    LedgerSkipped,
    LedgerSet,
    LedgerUncounted,
    WithdrawalSkipped,
    ClearingUnfenced,
    GroupUncounted,
    GroupCountedTwice,
    GroupForgotten,
    KeyClaimSkipped,
    KeyClaimSet,
    KeyClaimUnverified,
    KeyDropped,
    PendingIgnored,
    PendingKept,
    FirstIgnored,
    NameUnannounced,
    NameAnnouncedOnce,
    LeafSet,
    NameFenceSkipped,
    UnmarkingUncounted,
    OpenForgotten,
    RightHalfLost,
    NextIgnored,
    LowIgnored,
    BoundKept,
    BoundUnmarked,
    BoundUnfenced,
    ExternalIdUnlisted,
    CreateFenceSkipped,
    MemberUnlisted,
    MemberFenceSkipped,
    MemberHalfLost,
    GroupNameClaimSkipped,
    GroupNameFenceSkipped,
    WordUnlisted,
    WordMergedUnfenced,
    WordBoundUnmarked,
    WordBoundKept,
    AttributeUnlisted,
    AttributeUnmarked,
    AttributeMergedUnfenced,
    UpdateUnlisted,
    UpdateLeafSet,
    UpdateUntold,
    UpdateMergedUnfenced,
    UpdateHighForgotten,
    GroupUnlisted,
    GroupMergedUnfenced,
    GroupBoundKept,
}

use Sabotage::*;

/// All sabotages: what each breaks, and why it can't stay unnoticed.
pub const ALL: [(Sabotage, &str, &str); 71] = [
    (
        ClaimSkipped,
        "the claim on an email is skipped",
        "two users can have one email",
    ),
    (
        ClaimSet,
        "the claim is a set, not a swap",
        "a slow claimant overwrites the claim of a user who holds the email",
    ),
    (
        ClaimUnverified,
        "the claim's swap is taken for done, whatever became of it",
        "both of two claimants go on to write their records",
    ),
    (
        ClaimLate,
        "the record is written before the claim",
        "two users have the email until one claim fails",
    ),
    (
        RecordSet,
        "a record is set, not swapped",
        "one of two updates is lost, and a deleted user comes back",
    ),
    (
        RecordUnverified,
        "a record's swap is taken for done, whatever became of it",
        "an update is answered 200 and was not made",
    ),
    (
        OwnWriteUnknown,
        "the report that a swap failed is believed: the writer does not find its own write",
        "an update is made twice, a delete that was made is answered 404",
    ),
    (
        FenceSkipped,
        "a claim is superseded without raising the number in the claimant's record",
        "a claimant that was slow writes its record all the same",
    ),
    (
        HolderIgnored,
        "a claim is superseded though its user holds the email",
        "two users have one email",
    ),
    (
        PendingSkipped,
        "a create claims without a record",
        "there is nothing on which a claim could rest",
    ),
    (
        LateSet,
        "a plain set comes a second time, after the swap that followed it",
        "the user who was created is gone",
    ),
    (
        AbsentKeySwapped,
        "a claim swaps a key that is absent",
        "on SQLite it overwrites what came there meanwhile",
    ),
    (
        IncrementInTwoSteps,
        "an increment reads and then writes",
        "two creates get one id",
    ),
    (
        CosmosSum,
        "an increment adds and then reads the sum, as Spin's on Cosmos DB",
        "two creates get one id",
    ),
    (
        CosmosCreation,
        "who loses the race to create a counter is told that it won, as by Spin on Cosmos DB",
        "two creates get one id",
    ),
    (
        ClaimUncounted,
        "a record does not count the claim by which its user has an email",
        "whoever takes the email later has to write that record first",
    ),
    (
        UsernameClaimSkipped,
        "the claim on a username is skipped",
        "two users can have one username",
    ),
    (
        UsernameUnconfirmed,
        "a record does not say by which claim its user has a username",
        "the next user who wants it takes the claim for dead",
    ),
    (
        UsernameFenceSkipped,
        "a claim on a username is superseded without raising the number in the claimant's record",
        "a claimant that was slow writes its record all the same",
    ),
    (
        UsernameNumberShared,
        "a username is claimed by the number after the last one, whether or not the email has it",
        "of two requests of one user, the record gets another number than the username",
    ),
    (
        VoidSkipped,
        "a create that lost its email leaves its record pending",
        "X-Total-Count is wrong for a minute though nobody died",
    ),
    (
        GivingUpSkipped,
        "a create is counted as dead without a write to its record",
        "it goes on, and its user is not counted",
    ),
    (
        LedgerSkipped,
        "a delete is not written into the ledger",
        "X-Total-Count stays too high",
    ),
    (
        LedgerSet,
        "the ledger is set, not swapped",
        "of two deletes one is not counted",
    ),
    (
        LedgerUncounted,
        "an entry is taken out of the ledger and the delete is not counted",
        "X-Total-Count stays too high",
    ),
    (
        WithdrawalSkipped,
        "a delete that is refused leaves its entry in the ledger",
        "the ledger fills up, and deletes are answered 503",
    ),
    (
        ClearingUnfenced,
        "an old entry is taken out of the ledger without a write to its user's record",
        "the delete goes on and is not counted",
    ),
    (
        GroupUncounted,
        "a delete is not counted in its group of ids",
        "a page reads each of the ids that name nobody",
    ),
    (
        GroupCountedTwice,
        "a delete is counted twice in its group of ids",
        "a page steps over users",
    ),
    (
        GroupForgotten,
        "a page that read a group without users does not tell the next one",
        "every page reads it again",
    ),
    (
        KeyClaimSkipped,
        "a create does not claim its key",
        "a repeat makes another user",
    ),
    (
        KeyClaimSet,
        "the claim on a key is a set, not a swap",
        "of two creates with one key, neither sees the other",
    ),
    (
        KeyClaimUnverified,
        "the swap that claims a key is taken for done, whatever became of it",
        "both of two creates with one key go on to make a user",
    ),
    (
        KeyDropped,
        "a change of a user drops what repeats of its create are known by",
        "a repeat makes another user",
    ),
    (
        PendingIgnored,
        "a create that runs is taken for dead, and nothing is done to end it",
        "it makes a user after all, and the repeat another",
    ),
    (
        PendingKept,
        "a create that died is waited for",
        "its key can never be used",
    ),
    (
        FirstIgnored,
        "a repeat is answered with the version of the user that there is now",
        "a client takes what it sent for that version",
    ),
    (
        NameUnannounced,
        "a rename does not write the leaf of the new name",
        "the user is not found by it",
    ),
    (
        NameAnnouncedOnce,
        "a rename leaves a leaf alone that has the user",
        "who is about to take the user out does so",
    ),
    (
        LeafSet,
        "a node of the index is set, not swapped",
        "of two users who come into a leaf one is lost",
    ),
    (
        NameFenceSkipped,
        "a leaf is split without a write of the records of those who are moving",
        "a rename that was slow leaves the user in the other half",
    ),
    (
        UnmarkingUncounted,
        "a record does not count that a mark on its user is removed from a leaf",
        "a rename that begins again takes the leaf for one that leads to the user",
    ),
    (
        OpenForgotten,
        "the catalogue does not list creates that have not ended",
        "their users are never found",
    ),
    (
        RightHalfLost,
        "the right half of a leaf that is split is empty",
        "its users are not found",
    ),
    (
        NextIgnored,
        "the link to the next node is not followed",
        "a user that was split off is not found",
    ),
    (
        LowIgnored,
        "a leaf is taken to begin where it first did",
        "a user is put into a leaf where nobody looks for it",
    ),
    (
        BoundKept,
        "a leaf goes on beginning where it did, whoever goes",
        "the start of a name stays in the store when its user is gone",
    ),
    (
        BoundUnmarked,
        "the record of a user does not say that a leaf begins at the start of its name",
        "the start of the name stays when the user is gone",
    ),
    (
        BoundUnfenced,
        "a delete or a rename leaves a leaf alone that begins elsewhere",
        "a split that is under way takes the bound from the user who goes",
    ),
    (
        ExternalIdUnlisted,
        "a user gets an external id whose list is not written",
        "the user is not found by it",
    ),
    (
        CreateFenceSkipped,
        "a create is not made to fail whose user is left out of a list",
        "the user is not found by its external id",
    ),
    (
        MemberUnlisted,
        "a user gets into a group whose list is not written",
        "the group does not show the user",
    ),
    (
        MemberFenceSkipped,
        "a request goes on that is about to add a user whom a rewritten leaf has left out",
        "the group does not show the user",
    ),
    (
        MemberHalfLost,
        "a split of a group's leaf loses one half",
        "the group does not show those users",
    ),
    (
        GroupNameClaimSkipped,
        "a group gets a name without a claim on it",
        "another group gets it too",
    ),
    (
        GroupNameFenceSkipped,
        "a group that is about to get a name is not kept from it",
        "two groups have the name",
    ),
    (
        WordUnlisted,
        "a rename does not write the lists of words",
        "the user is not found by its new words",
    ),
    (
        WordMergedUnfenced,
        "the index of words is made without a write of its users' records",
        "a rename that has found no index goes on, and the user is not found by its new words",
    ),
    (
        WordBoundUnmarked,
        "the record of a user does not say that a leaf of a word begins at the start of its name",
        "the start of the name stays when the user is gone",
    ),
    (
        WordBoundKept,
        "a leaf of a word goes on beginning where it did, whoever goes",
        "the start of a name stays in the store when its user is gone",
    ),
    (
        AttributeUnlisted,
        "a change does not write the list of a new value in the attributes",
        "the user is not found by it",
    ),
    (
        AttributeUnmarked,
        "the record of a user does not say that its attributes are in an index",
        "a change does not write the list of the new value",
    ),
    (
        AttributeMergedUnfenced,
        "the index of an attribute is made without a write of its users' records",
        "a change that has found no index goes on, and the user is not found by its new value",
    ),
    (
        UpdateUnlisted,
        "a change is not noted in the list of changes",
        "the user is not found by the time of the change",
    ),
    (
        UpdateLeafSet,
        "a leaf of the list of changes is set, not swapped",
        "a user who was added meanwhile is lost",
    ),
    (
        UpdateUntold,
        "a record does not say that its user is in the list of changes",
        "the next change does not note itself",
    ),
    (
        UpdateMergedUnfenced,
        "a user is put into the list of changes without a write to its record",
        "a change under way does not know of the list",
    ),
    (
        UpdateHighForgotten,
        "the last leaf of the list of changes does not note up to which time it has users",
        "the leaf after it begins before some of them",
    ),
    (
        GroupUnlisted,
        "a rename of a group does not lead the lists of its words to it",
        "the group is not found by its new name",
    ),
    (
        GroupMergedUnfenced,
        "a group is put into the lists of its words without a write to its record",
        "a rename under way does not know of the lists",
    ),
    (
        GroupBoundKept,
        "a list of groups goes on to begin as the name of a group that is gone",
        "the name is not forgotten",
    ),
];

impl Sabotage {
    /// Where it does harm.
    pub fn backends(self) -> &'static [Backend] {
        match self {
            AbsentKeySwapped => &[Backend::Sqlite],
            // SQLite reports the outcome of each swap.
            OwnWriteUnknown => &[Backend::Redis, Backend::DynamoDb],
            // On Redis a writer reads its number back, and this one is another.
            UsernameNumberShared => &[Backend::Sqlite, Backend::DynamoDb],
            _ => &Backend::ALL,
        }
    }

    /// Whether it takes creates with keys to notice.
    pub fn concerns_keys(self) -> bool {
        matches!(
            self,
            KeyClaimSkipped
                | KeyClaimSet
                | KeyClaimUnverified
                | KeyDropped
                | PendingIgnored
                | PendingKept
                | FirstIgnored
        )
    }

    /// Whether it takes usernames to notice.
    pub fn concerns_usernames(self) -> bool {
        matches!(
            self,
            UsernameClaimSkipped
                | UsernameUnconfirmed
                | UsernameFenceSkipped
                | UsernameNumberShared
        )
    }

    /// Whether it takes external ids to notice.
    pub fn concerns_external_ids(self) -> bool {
        matches!(self, ExternalIdUnlisted | CreateFenceSkipped)
    }

    /// Whether it takes groups to notice.
    pub fn concerns_groups(self) -> bool {
        matches!(
            self,
            MemberUnlisted
                | MemberFenceSkipped
                | MemberHalfLost
                | GroupNameClaimSkipped
                | GroupNameFenceSkipped
        )
    }

    /// Whether it takes words to notice.
    pub fn concerns_words(self) -> bool {
        matches!(
            self,
            WordUnlisted | WordMergedUnfenced | WordBoundUnmarked | WordBoundKept
        )
    }

    /// Whether it takes searches for groups to notice.
    pub fn concerns_group_words(self) -> bool {
        matches!(self, GroupUnlisted | GroupMergedUnfenced | GroupBoundKept)
    }

    /// Whether it takes attributes to notice.
    pub fn concerns_attributes(self) -> bool {
        matches!(
            self,
            AttributeUnlisted | AttributeUnmarked | AttributeMergedUnfenced
        )
    }

    /// Whether it takes lists in the order of last changes to notice.
    pub fn concerns_updates(self) -> bool {
        matches!(
            self,
            UpdateUnlisted
                | UpdateLeafSet
                | UpdateUntold
                | UpdateMergedUnfenced
                | UpdateHighForgotten
        )
    }

    /// Whether it is the index of names that is broken.
    pub fn concerns_names(self) -> bool {
        matches!(
            self,
            NameUnannounced
                | NameAnnouncedOnce
                | LeafSet
                | NameFenceSkipped
                | UnmarkingUncounted
                | OpenForgotten
                | RightHalfLost
                | NextIgnored
                | LowIgnored
                | BoundKept
                | BoundUnmarked
                | BoundUnfenced
        )
    }
}
