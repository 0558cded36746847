//! Planted bugs: what a wrong engine would do, done to a right one.
//!
//! Nothing of it is in the product. A plant is a trigger or a missing index in the simulated
//! database (what a wrong statement would have written), or a change to what goes over the line
//! (what a wrong adapter would have sent or read). The simulation has to notice.

use farthing_providers::HttpRequest;
use farthing_sandbox::Response;

/// A planted bug.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    /// Its name.
    pub name: &'static str,
    /// What went wrong somewhere once, or would.
    pub like: &'static str,
    /// How it is planted.
    pub how: How,
}

/// How a bug is planted.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Statements that change the simulated database beforehand.
    Sql(&'static [&'static str]),
    /// A change to what is sent.
    Request(fn(&mut HttpRequest)),
    /// A change to what is read.
    Response(fn(&HttpRequest, &mut Response)),
}

impl Plant {
    /// The statements to run before anything happens.
    pub fn statements(&self) -> &'static [&'static str] {
        match self.how {
            How::Sql(statements) => statements,
            _ => &[],
        }
    }

    /// Changes what is sent, if that is how.
    pub fn change_request(&self, request: &mut HttpRequest) {
        if let How::Request(change) = self.how {
            change(request);
        }
    }

    /// Changes what is read, if that is how.
    pub fn change_response(&self, request: &HttpRequest, response: &mut Response) {
        if let How::Response(change) = self.how {
            change(request, response);
        }
    }
}
