//! Another user to go on as, once what needs root is done.

use std::fs;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, set_capabilities, set_keep_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use std::path::{Path, PathBuf};

use crate::cli::error;
use crate::cli::error::Error;

/// A user, as `/etc/passwd` and `/etc/group` know it. No other directory of users is asked: a
/// static binary can't.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    /// The groups that it is in beside its own.
    groups: Vec<u32>,
}

impl Account {
    /// The user of this name.
    ///
    /// # Errors
    /// Where there is none, or we may not become another user.
    pub(crate) fn find(name: &str) -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Err(Error::usage(format!(
                "`--user {name}` takes root to go on as another user; start it as `{name}` instead"
            )));
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let groups = fs::read_to_string("/etc/group").unwrap_or_default();
        Self::look_up(name, &users, &groups)
            .ok_or_else(|| Error::usage(format!("`--user {name}`: `/etc/passwd` has no such user")))
    }

    /// Lines of `users` are `NAME:x:UID:GID:...`, those of `groups` are `NAME:x:GID:MEMBER,MEMBER`.
    fn look_up(name: &str, users: &str, groups: &str) -> Option<Self> {
        let fields = |line: &'_ str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let user = users.lines().map(fields).find(|user| user[0] == name)?;
        let is_member = |group: &Vec<String>| {
            let members = group.get(3).map(String::as_str).unwrap_or_default();
            members.split(',').any(|member| member == name)
        };
        let member_of = groups.lines().map(fields).filter(is_member);
        Some(Self {
            name: name.to_owned(),
            uid: user.get(2)?.parse().ok()?,
            gid: user.get(3)?.parse().ok()?,
            groups: member_of
                .filter_map(|group| group[2].parse().ok())
                .collect(),
        })
    }

    /// Goes on as this user, without a way back; [`Former::give_up`] is the second step.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn assume(self) -> Result<Former, Error> {
        let steps = || {
            let groups: Vec<Gid> = self.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
            let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
            set_thread_groups(&groups)?;
            set_thread_res_gid(gid, gid, gid)?;
            set_keep_capabilities(true)?;
            set_thread_res_uid(uid, uid, uid)?;
            // Root of a container may not have it to keep.
            let kept = hold(CapabilitySet::DAC_READ_SEARCH, CapabilitySet::empty());
            Ok(kept.is_ok())
        };
        let may_read = steps().map_err(|error: Errno| {
            let cause = error::cause(&error.into());
            Error::refused(format!("cannot go on as `{}`: {cause}", self.name))
        })?;
        Ok(Former {
            name: self.name,
            may_read,
        })
    }
}

fn hold(permitted: CapabilitySet, effective: CapabilitySet) -> Result<(), Errno> {
    let inheritable = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective,
        permitted,
        inheritable,
    };
    set_capabilities(None, sets)
}

/// What is left of root: the capability to read, not in use.
pub(crate) struct Former {
    name: String,
    may_read: bool,
}

impl Former {
    /// Gives it up, if the new user may read all of `files`. Else it is kept, for reading where a
    /// file's mode forbids it, if Landlock holds: `confined`.
    ///
    /// # Errors
    /// Where a file can't be read as the new user and nothing would confine us.
    pub(crate) fn give_up(self, files: &[PathBuf], confined: bool) -> Result<(), Error> {
        let refused =
            |path: &&PathBuf| access(path.as_path(), Access::READ_OK) == Err(Errno::ACCESS);
        let effective = match files.iter().find(refused) {
            None => CapabilitySet::empty(),
            Some(_) if confined && self.may_read => CapabilitySet::DAC_READ_SEARCH,
            Some(path) => return Err(self.may_not_read(path)),
        };
        hold(effective, effective).map_err(|error| {
            Error::refused(format!(
                "cannot give up root: {}",
                error::cause(&error.into())
            ))
        })
    }

    fn may_not_read(&self, path: &Path) -> Error {
        let (shown, name) = (path.display(), &self.name);
        Error::refused(format!(
            "`{shown}` can't be read by `{name}`, and no Landlock is here to leave us that right alone; \
             put `{name}` into the file's group"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_their_groups() {
        let users = "root:x:0:0:root:/root:/bin/sh\nlog:x:998:997::/:/bin/false\nbroken:x\n";
        let groups = "root:x:0:\nadm:x:4:pi,log\nlog:x:997:\nvideo:x:44:login\ntty:x:5:log\n";
        let found = Account::look_up("log", users, groups).unwrap();
        assert_eq!((found.uid, found.gid, found.groups), (998, 997, vec![4, 5]));
        for name in ["lo", "nobody", "", "broken", "x"] {
            assert_eq!(Account::look_up(name, users, groups), None, "{name}");
        }
    }
}
